"""An environment (`dev`, `prod`): everything the platform runs on, from top to bottom."""

from __future__ import annotations

from typing import Any

import pulumi

from infra.azure.cosmos import CONTAINER, Cosmos, CosmosArgs
from infra.azure.cosmos_restored import restore_accounts
from infra.azure.dns import PublicName, PublicNameArgs
from infra.azure.locks import Locks, LocksArgs
from infra.azure.registry import Registry, RegistryArgs
from infra.azure.sql import Sql, SqlArgs
from infra.cloud import Cloud
from infra.naming import Names
from infra.settings import Settings
from infra.settings.restores import of_service
from infra.stacks import ground, republish, services
from infra.stacks.data_origins import decide
from infra.stacks.outputs import outputs_of
from infra.stacks.republish import Publisher
from infra.stacks.watch import watch
from infra.stacks.workload import Platform, Workload
from infra.workload.certificates import Certificate, CertificateArgs
from infra.workload.dependencies import SqlDatabase
from infra.workload.image import Image, ImageArgs
from infra.workload.prompts import read_prompts


def compose(settings: Settings, cloud: Cloud) -> dict[str, pulumi.Output[Any] | str]:
    """Declare the environment; the result is the stack's outputs."""
    names, domain = Names(settings.environment, settings.suffix), ground.domain_of(settings, cloud)
    host = names.host(domain)
    prompts = {agent: read_prompts(agent) for agent in settings.agents}  # refused before anything is made
    republish.check(settings)  # likewise
    origins = decide(settings, names, cloud)  # likewise

    base = ground.lay(settings, names, cloud)
    place, exposure, workspace, agents = base.place, base.exposure, base.workspace, base.agents
    migration, standby = base.identity("migration"), None
    if settings.paired_location:
        # Of the region that is left when this one is lost: it lets whoever stands in into the database.
        standby = base.identity("standby", location=settings.paired_location)
    publisher = Publisher.of(base, prompts)

    registry = Registry(
        "registry",
        RegistryArgs(
            name=names.registry,
            place=place,
            settings=settings.registry,
            exposure=exposure,
            workspace_id=workspace,
            pullers=[base.kubelet.grantee()],
            pushers=base.operators,
            builds_subnet_id=base.network.builds_subnet_id,
        ),
    )
    cosmos_args = CosmosArgs(
        account=names.cosmos,
        place=place,
        settings=settings.cosmos,
        exposure=exposure,
        workspace_id=workspace,
        agents=agents,
        operators=base.operators,
    )
    cosmos = Cosmos("cosmos", cosmos_args)
    documents = restore_accounts(
        cosmos, cosmos_args, of_service(settings.restores, "cosmos"), names, origins.accounts
    )
    sql = Sql(
        "sql",
        SqlArgs(
            server=names.sql,
            backup_server=names.sql_backup,
            failover_group=names.failover_group,
            place=place,
            settings=settings.sql,
            exposure=exposure,
            workspace_id=workspace,
            administrator=migration,
            backup_administrator=standby,
            restores=of_service(settings.restores, "sql"),
            origins=origins.databases,
        ),
    )
    provided = services.provide(base, prompts, publisher.grantees)
    cluster = provided.cluster
    grafana = watch(base, cluster)

    workload = Workload(
        "workload",
        Platform(
            settings=settings,
            names=names,
            host=host,
            prompts=prompts,
            kubeconfig=cluster.kubeconfig,
            oidc_issuer=cluster.oidc_issuer,
            identities=base.identities,
            rights={agent.key: agent.rights for agent in agents},
            migration=migration,
            migration_name=names.identity("migration"),
            image=Image("image", ImageArgs(registry, list(settings.agents), settings.version)),
            dependencies=services.dependencies_of(
                base, provided, documents.endpoint, SqlDatabase(sql.server, sql.database, sql.dialect)
            ),
            ready=[documents, sql, registry, *provided.ready],
            republish=publisher.reads(documents.roles, CONTAINER),
        ),
    )
    public_name = PublicName("public-name", PublicNameArgs(place, host, domain, workload.address))
    Certificate(
        "certificate",
        CertificateArgs(names.namespace, host, ready=[workload, public_name]),
        workload.on_cluster,
    )
    Locks("locks", LocksArgs(place, {**cosmos.data, **sql.data, **provided.storage.data}, after=[workload]))
    return {
        **outputs_of(base, provided, host),
        "registry": registry.login_server,
        "cosmosEndpoint": documents.endpoint,
        "sqlServer": sql.server,
        "grafanaUrl": grafana.endpoint,
        "nameServers": public_name.name_servers,
    }
