"""All settings of a stack."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from infra.settings import restores
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
from infra.settings.types import AgentName, Domain, EnvironmentName, NameSuffix, ObjectId, Region, Version


class Settings(Section):
    """Everything under `agents:`, and `azure-native:location` as `location`.

    `daily_tokens` may all agents together use in a UTC day; without it, each has only its own limit.
    `paired_location` is the region of second copies: the geo-replica of registry and Cosmos DB, the failover
    group's second SQL server, the second Azure OpenAI account. Without it there are none. `protect` keeps
    stateful resources from being deleted, by Pulumi and (with management locks) by anyone.
    `begin_empty` gives up data that was deleted: the ids that the refusal to begin empty names.
    """

    environment: EnvironmentName
    location: Region
    version: Version
    agents: Annotated[dict[AgentName, AgentSettings], Field(min_length=1)]
    daily_tokens: Annotated[int, Field(ge=1_000)] | None = None
    role: Literal["environment"] = "environment"
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
    begin_empty: tuple[ObjectId, ...] = ()

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
        if self.authentication is None and self.environment != "dev":
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
