"""An environment (`dev`, `prod`): everything the platform runs on, from top to bottom."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_azure_native import resources

from infra.azure.alert_rules import AlertRules, AlertRulesArgs
from infra.azure.alerts import Alerts, AlertsArgs
from infra.azure.budget import Budget, BudgetArgs
from infra.azure.cluster import Cluster, ClusterArgs
from infra.azure.cosmos import Cosmos, CosmosArgs
from infra.azure.cosmos_restored import restore_accounts
from infra.azure.dns import PublicName, PublicNameArgs
from infra.azure.events import Events, EventsArgs
from infra.azure.exposure import Exposure
from infra.azure.grafana import Grafana, GrafanaArgs
from infra.azure.identity import Identity, IdentityArgs
from infra.azure.locks import Locks, LocksArgs
from infra.azure.monitoring import Monitoring, MonitoringArgs
from infra.azure.network import Network, NetworkArgs
from infra.azure.openai import OpenAI, OpenAIArgs
from infra.azure.place import Place
from infra.azure.registry import Registry, RegistryArgs
from infra.azure.sql import Sql, SqlArgs
from infra.azure.storage import Storage, StorageArgs
from infra.azure.telemetry import Telemetry, TelemetryArgs
from infra.azure.vault import Vault, VaultArgs
from infra.cloud import Cloud
from infra.naming import Names
from infra.settings import Settings, SettingsError
from infra.settings.restores import of_service
from infra.stacks.data_origins import decide
from infra.stacks.operators import operators_of
from infra.stacks.workload import Platform, Workload
from infra.workload.certificates import Certificate, CertificateArgs
from infra.workload.dependencies import Dependencies, SqlDatabase
from infra.workload.image import Image, ImageArgs
from infra.workload.prompts import listens, read_prompts


def compose(settings: Settings, cloud: Cloud) -> dict[str, pulumi.Output[Any] | str]:
    """Declare the environment; the result is the stack's outputs."""
    names, domain = Names(settings.environment, settings.suffix), _domain(settings, cloud)
    host, operators = names.host(domain), operators_of(settings)
    prompts = {agent: read_prompts(agent) for agent in settings.agents}  # refused before anything is made
    origins = decide(settings, names, cloud)  # likewise

    group = resources.ResourceGroup("group", resource_group_name=names.resource_group, tags=names.tags())
    place = Place(
        cloud=cloud,
        resource_group=group.name,
        location=settings.location,
        paired=settings.paired_location,
        protect=settings.protect,
        tags=names.tags(),
        zonal=bool(settings.cluster.zones),
    )

    def identity(owner: str) -> Identity:
        return Identity(owner, IdentityArgs(names.identity(owner), place))

    control_plane, kubelet, migration = identity("cluster"), identity("kubelet"), identity("migration")
    identities = {agent: identity(agent) for agent in settings.agents}
    agents = [owner.grantee() for owner in identities.values()]

    telemetry = Telemetry("telemetry", TelemetryArgs(place, names, settings.telemetry, agents, operators))
    workspace = telemetry.workspace_id
    network = Network("network", NetworkArgs(place, names, settings.network, workspace))
    exposure = Exposure(network.private_access, settings.network.allowed_ranges, [network.egress_address])

    registry = Registry(
        "registry",
        RegistryArgs(
            name=names.registry,
            place=place,
            settings=settings.registry,
            exposure=exposure,
            workspace_id=workspace,
            pullers=[kubelet.grantee()],
            pushers=operators,
            builds_subnet_id=network.builds_subnet_id,
        ),
    )
    vault = Vault(
        "vault",
        VaultArgs(
            name=names.vault,
            place=place,
            settings=settings.vault,
            exposure=exposure,
            workspace_id=workspace,
            readers=agents,
            officers=operators,
            secrets={"pagerduty-url": settings.alerts.pagerduty, "teams-url": settings.alerts.teams},
        ),
    )
    cosmos_args = CosmosArgs(
        account=names.cosmos,
        place=place,
        settings=settings.cosmos,
        exposure=exposure,
        workspace_id=workspace,
        agents=agents,
        operators=operators,
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
            restores=of_service(settings.restores, "sql"),
            origins=origins.databases,
        ),
    )
    storage = Storage(
        "storage",
        StorageArgs(
            account=names.storage,
            place=place,
            settings=settings.storage,
            exposure=exposure,
            workspace_id=workspace,
            agents=agents,
            operators=operators,
        ),
    )
    events = Events(
        "events",
        EventsArgs(
            topic=names.topic,
            place=place,
            settings=settings.events,
            exposure=exposure,
            workspace_id=workspace,
            storage=storage,
            agents=agents,
            operators=operators,
            listens={agent: listens(files) for agent, files in prompts.items()},
        ),
    )
    openai = OpenAI(
        "openai",
        OpenAIArgs(
            account=names.openai,
            backup_account=names.openai_backup,
            place=place,
            model=settings.model,
            exposure=exposure,
            workspace_id=workspace,
            users=[*agents, *operators],
        ),
    )
    cluster = Cluster(
        "cluster",
        ClusterArgs(
            place=place,
            names=names,
            settings=settings.cluster,
            network=settings.network,
            subnet_id=network.nodes_subnet_id,
            egress_address=network.egress_address,
            workspace_id=workspace,
            control_plane=control_plane,
            kubelet=kubelet,
            admins=operators,
        ),
    )
    Monitoring("monitoring", MonitoringArgs(place, names, cluster.id, telemetry.metrics_id, workspace))
    grafana = Grafana("grafana", GrafanaArgs(place, names, telemetry.metrics_id, workspace, operators))
    alerts = Alerts("alerts", AlertsArgs(place, settings.alerts, group.id))
    AlertRules(
        "alert-rules",
        AlertRulesArgs(
            name=names.alert_rules,
            place=place,
            workspace_id=telemetry.metrics_id,
            cluster=cluster.name,
            cluster_id=cluster.id,
            channels=alerts.channels,
        ),
    )
    Budget(
        "budget",
        BudgetArgs(
            name=names.budget,
            scope=group.id,
            settings=settings.budget,
            emails=settings.alerts.emails,
            groups=alerts.warning,
        ),
    )

    workload = Workload(
        "workload",
        Platform(
            settings=settings,
            names=names,
            host=host,
            prompts=prompts,
            kubeconfig=cluster.kubeconfig,
            oidc_issuer=cluster.oidc_issuer,
            identities=identities,
            rights={agent.key: agent.rights for agent in agents},
            migration=migration,
            image=Image("image", ImageArgs(registry, list(settings.agents), settings.version)),
            dependencies=Dependencies(
                cosmos_endpoint=documents.endpoint,
                openai_endpoint=openai.endpoint,
                openai_deployment=openai.deployment_name,
                openai_backup_endpoint=openai.backup_endpoint,
                vault_uri=vault.uri,
                sql=SqlDatabase(sql.server, sql.database, sql.dialect),
                events_endpoint=events.endpoint,
                queue_endpoint=storage.queue_endpoint,
                queues={agent: queue.name for agent, queue in storage.queues.items()},
                insights=telemetry.connection_string,
                daily_tokens={agent: wanted.daily_tokens for agent, wanted in settings.agents.items()},
                total_tokens=settings.daily_tokens,
            ),
            ready=[documents, sql, storage, events, openai, vault, registry, cluster.user_pool],
        ),
    )
    public_name = PublicName("public-name", PublicNameArgs(place, host, domain, workload.address))
    Certificate(
        "certificate",
        CertificateArgs(names.namespace, host, ready=[workload, public_name]),
        workload.on_cluster,
    )
    Locks("locks", LocksArgs(place, {**cosmos.data, **sql.data, **storage.data}, after=[workload]))
    return {
        "agentsUrl": f"https://{host}",
        "resourceGroup": group.name,
        "cluster": cluster.name,
        "namespace": names.namespace,
        "registry": registry.login_server,
        "cosmosEndpoint": documents.endpoint,
        "sqlServer": sql.server,
        "eventsEndpoint": events.endpoint,
        "vaultUri": vault.uri,
        "grafanaUrl": grafana.endpoint,
        "nameServers": public_name.name_servers,
        "deadLetters": storage.blob_endpoint,
        "getCredentials": pulumi.Output.format(
            "az aks get-credentials -g {0} -n {1} && kubelogin convert-kubeconfig -l azurecli",
            group.name,
            cluster.name,
        ),
    }


def _domain(settings: Settings, cloud: Cloud) -> str:
    domain = settings.domain or cloud.domain
    if domain is None:
        raise SettingsError(
            f"agents:domain is missing, and {cloud.name} has no domain of its own. Name a DNS zone that you "
            "can delegate: pulumi config set agents:domain example.com"
        )
    return domain
