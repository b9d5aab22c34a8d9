"""All settings of a stack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from infra.naming import Names
from infra.settings import restores
from infra.settings.backup import BackupSettings
from infra.settings.recovery import RecoverySettings
from infra.settings.restores import Restore
from infra.settings.sections import (
    AgentSettings,
    AlertSettings,
    AuthenticationSettings,
    BudgetSettings,
    CertificateSettings,
    ClusterSettings,
    CosmosSettings,
    EventSettings,
    HttpSettings,
    ModelSettings,
    NetworkSettings,
    RegistrySettings,
    Section,
    SqlSettings,
    StorageSettings,
    TelemetrySettings,
    VaultSettings,
)
from infra.settings.types import (
    AgentName,
    Domain,
    EnvironmentName,
    Moment,
    NameSuffix,
    ObjectId,
    Region,
    Role,
    Version,
)


class Settings(Section):
    """Everything under `agents:`, and `azure-native:location` as `location`.

    `role` is what the stack is for: an environment, or the `backup` or `recovery` of the one that `source`
    names (docs/adr/0014-a-stamp-in-the-paired-region.md). `daily_tokens` may all agents together use in a UTC
    day; without it, each has only its own limit. `paired_location` is the region of second copies: the
    geo-replica of registry and Cosmos DB, the failover group's second SQL server, the second Azure OpenAI
    account. Without it there are none. `protect` keeps stateful resources from being deleted, by
    Pulumi and (with management locks) by anyone. `republish`: events that were published since then and
    nobody has acted upon are published again, once for each value.
    `begin_empty` gives up data that was deleted: the ids that the refusal to begin empty names.
    """

    environment: EnvironmentName
    location: Region
    version: Version
    agents: Annotated[dict[AgentName, AgentSettings], Field(min_length=1)]
    daily_tokens: Annotated[int, Field(ge=1_000)] | None = None
    role: Role = "environment"
    source: EnvironmentName | None = None
    paired_location: Region | None = None
    protect: bool = False
    suffix: NameSuffix = ""
    domain: Domain | None = None
    operators: tuple[ObjectId, ...] = ()
    authentication: AuthenticationSettings | None = None
    http: HttpSettings = HttpSettings()
    network: NetworkSettings = NetworkSettings()
    cluster: ClusterSettings = ClusterSettings()
    model: ModelSettings = ModelSettings()
    registry: RegistrySettings = RegistrySettings()
    cosmos: CosmosSettings = CosmosSettings()
    sql: SqlSettings = SqlSettings()
    storage: StorageSettings = StorageSettings()
    events: EventSettings = EventSettings()
    vault: VaultSettings = VaultSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    alerts: AlertSettings = AlertSettings()
    budget: BudgetSettings = BudgetSettings()
    certificates: CertificateSettings = CertificateSettings()
    restores: tuple[Restore, ...] = ()
    republish: Moment | None = None
    recovery: RecoverySettings = RecoverySettings()
    begin_empty: tuple[ObjectId, ...] = ()
    backup: BackupSettings = BackupSettings()

    @model_validator(mode="after")
    def _is_what_its_role_can_be(self) -> Self:
        for name in ("restores", "begin_empty"):
            if self.role != "environment" and getattr(self, name):
                raise ValueError(
                    f"{name} is about an environment's own data, and this stack is the {self.role} of "
                    f"{self.source}: set it in Pulumi.{self.source}.yaml"
                )
        if self.role != "recovery" and self.recovery != RecoverySettings():
            raise ValueError(f"recovery is set, but role is {self.role}: it is for a stack of role recovery")
        if len(Names(self.environment, self.suffix).vault) > 24:
            raise ValueError(
                f"the vault's name, {Names(self.environment, self.suffix).vault}, is longer than Azure's 24 "
                "characters: shorten environment or suffix"
            )
        longest = Names(self.environment, self.suffix).restored_cosmos(datetime.max.replace(tzinfo=UTC))
        if self.role == "environment" and len(longest) > 44:
            raise ValueError(
                f"the name of a restored Cosmos DB account, such as {longest}, is longer than Azure's 44 "
                "characters, so none could be restored: shorten environment or suffix"
            )
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.paired_location == self.location:
            raise ValueError(
                f"paired_location is {self.location}, the region of the environment itself; name another one"
            )
        premium = self.registry.sku == "Premium"
        if not premium and (self.network.private or self.paired_location):
            raise ValueError(
                f"registry.sku is {self.registry.sku}, but private endpoints (network.private) and replicas "
                "(paired_location) need Premium"
            )
        if self.cluster.zones and self.cluster.tier == "Free":
            raise ValueError("cluster.zones without an uptime promise makes little sense: set cluster.tier")
        if self.authentication is None and (self.source or self.environment) != "dev":
            raise ValueError(
                f"authentication is missing, so anybody could call the agents of {self.environment}; only "
                "dev may do without. Name the tenant and the application that callers have a role in: "
                "pulumi config set --path agents:authentication.tenant TENANT_ID && "
                "pulumi config set --path agents:authentication.audience api://agents"
            )
        if self.protect and not self.vault.purge_protection:
            raise ValueError("protect is on, so vault.purge_protection must be too")
        restores.check(self.restores)
        return self
