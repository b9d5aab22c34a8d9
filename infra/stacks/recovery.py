"""A stamp in the paired region (`prod-dr`): what stands in for an environment whose region is lost.

It has what an environment has but the data, which it takes over, and the images, which it finds. See
docs/adr/0014-a-stamp-in-the-paired-region.md and docs/recovery.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from infra.azure.cosmos import CONTAINER
from infra.azure.homecoming import Homecoming, HomecomingArgs
from infra.azure.identity import ForeignIdentity
from infra.azure.locks import Locks, LocksArgs
from infra.azure.registry_shared import SharedRegistry, SharedRegistryArgs
from infra.azure.sql_takeover import Server, SqlTakeover, SqlTakeoverArgs
from infra.azure.traffic import Traffic, TrafficArgs
from infra.cloud import Cloud
from infra.naming import Names
from infra.settings import Settings, read_source
from infra.stacks import ground, republish, secret_copies, services, stamp_data, takeover
from infra.stacks.ground import Ground
from infra.stacks.outputs import outputs_of
from infra.stacks.republish import Publisher
from infra.stacks.services import Prompts, Services
from infra.stacks.source import Owned, Source
from infra.stacks.stamp_data import StampData
from infra.stacks.watch import watch
from infra.stacks.workload import Platform, Workload
from infra.workload.certificates import Certificate, CertificateArgs
from infra.workload.dependencies import SqlDatabase
from infra.workload.image import BuiltImage
from infra.workload.prompts import read_prompts
from infra.workload.secret_restoration import RestoreSecrets


def compose(settings: Settings, cloud: Cloud) -> dict[str, pulumi.Output[Any] | str]:
    """Declare the stamp; the result is the stack's outputs."""
    names, zone = Names(settings.environment, settings.suffix), ground.domain_of(settings, cloud)
    source = Source(read_source(settings), cloud)
    prompts = {agent: read_prompts(agent) for agent in settings.agents}  # refused before anything is made
    republish.check(settings)  # likewise
    restored_from = takeover.check(settings, source, zone)  # likewise
    copied = secret_copies.found(settings, source)

    base = ground.lay(settings, names, cloud)
    publisher = Publisher.of(base, prompts, always=True)
    provided = services.provide(base, prompts, publisher.grantees)
    grafana = watch(base, provided.cluster)
    data = stamp_data.declare(base, source, restored_from)
    Locks(
        "locks",
        LocksArgs(base.place, {**data.locked, **provided.storage.data}, after=[provided.storage, *data.own]),
    )

    stamp = Stamp(base, provided, source, data, publisher, zone)
    match settings.recovery.phase:
        case "serving":
            secrets = secret_copies.restored(base, provided.vault, source) if copied else None
            stamp.serve(prompts, stamp.database(), secrets)
        case "drained":
            stamp.database()
        case "returned":
            stamp.give_back()
    return {
        **outputs_of(base, provided, source.names.host(zone)),
        "phase": settings.recovery.phase,
        "cosmosEndpoint": data.documents.endpoint,
        "sqlServer": data.sql.server if data.sql else source.listener,
        "grafanaUrl": grafana.endpoint,
    }


@dataclass(frozen=True)
class Database:
    """The SQL database that the agents use: where it is, and the name of the identity that lets them in."""

    component: pulumi.Resource
    server: pulumi.Output[str]
    name: str
    administrator: str


@dataclass(frozen=True)
class Stamp:
    """What becomes of the source's data, its agents and its name, phase by phase."""

    base: Ground
    provided: Services
    source: Source
    data: StampData
    publisher: Publisher
    zone: str

    def database(self) -> Database:
        """Its own, or the one that it makes the source's primary."""
        source, own = self.source, self.data.sql
        if own is not None:
            return Database(own, own.server, own.database, self.base.names.identity("migration"))
        taken = SqlTakeover(
            "sql",
            SqlTakeoverArgs(
                server=self._server(source.names.sql_backup),
                id=source.second_server.id,
                listener=source.listener,
                place=self.base.place,
                exposure=self.base.exposure,
                planned=self.base.settings.recovery.acknowledged,
            ),
        )
        return Database(taken, taken.server, source.database, source.names.identity("standby"))

    def give_back(self) -> None:
        """What failed over; the source fetches what is the stamp's own."""
        recovery, source = self.base.settings.recovery, self.source
        server = self._server(source.names.sql) if recovery.sql == "failover" else None
        account = source.account.plain_name if recovery.cosmos == "failover" else None
        if server is not None or account is not None:
            regions = (source.settings.location, self.base.settings.location)
            Homecoming("homecoming", HomecomingArgs(source.names.resource_group, server, account, regions))

    def serve(self, prompts: Prompts, sql: Database, secrets: RestoreSecrets | None) -> None:
        """The agents, under the source's name once they are ready."""
        base, source, settings = self.base, self.source, self.base.settings
        host, registry = source.names.host(self.zone), self._registry()
        workload = Workload(
            "workload",
            Platform(
                settings=settings,
                names=base.names,
                host=host,
                prompts=prompts,
                kubeconfig=self.provided.cluster.kubeconfig,
                oidc_issuer=self.provided.cluster.oidc_issuer,
                identities=base.identities,
                rights={agent.key: agent.rights for agent in base.agents},
                migration=self.data.administrator
                or ForeignIdentity("migration", sql.administrator, source.names.resource_group, source.cloud),
                migration_name=sql.administrator,
                image=self._image(),
                dependencies=services.dependencies_of(
                    base,
                    self.provided,
                    self.data.documents.endpoint,
                    SqlDatabase(sql.server, sql.name, source.cloud.sql_dialect),
                ),
                ready=[self.data.documents, sql.component, registry, *self.provided.ready],
                kept=[source.names.identity(agent) for agent in source.settings.agents],
                republish=self.publisher.reads(self.data.documents.roles, CONTAINER),
                secrets=secrets,
            ),
        )
        if not settings.recovery.traffic:
            return
        traffic = Traffic(
            "traffic",
            TrafficArgs(
                resource_group=source.names.resource_group,
                zone=self.zone,
                host=host,
                address=workload.address,
                served_by=settings.environment,
            ),
        )
        # Whoever signs it asks under the name, which must lead here by then.
        Certificate(
            "certificate",
            CertificateArgs(base.names.namespace, host, ready=[workload, traffic]),
            workload.on_cluster,
        )

    def _server(self, name: str) -> Server:
        names = self.source.names
        return Server(name, names.failover_group, names.resource_group)

    def _registry(self) -> SharedRegistry:
        base, chosen = self.base, self._chosen_stack.registry.id
        pullers = [base.kubelet.grantee()]
        return SharedRegistry("registry", SharedRegistryArgs(chosen, base.place, base.exposure, pullers))

    def _image(self) -> BuiltImage:
        settings = self.base.settings
        return BuiltImage(self._chosen_stack.login_server, settings.version, settings.recovery.digest)

    @property
    def _chosen_stack(self) -> Owned:
        """Whose registry has the images; the source's has a replica in this region."""
        return self.source.backup if self.base.settings.recovery.images == "backup" else self.source.own
