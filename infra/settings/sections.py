"""The sections of a stack's settings, one per thing that is set up. Defaults are the smallest honest size."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from infra.settings import reasoning
from infra.settings.reasoning import Effort
from infra.settings.types import (
    Audience,
    BudgetStart,
    Count,
    Cpu,
    Email,
    HttpsUrl,
    Iso8601Weeks,
    KubernetesVersion,
    MachineSize,
    Memory,
    ObjectId,
    PrivateRange,
    PromptName,
    PromptVersion,
    PublicRange,
    Rate,
)


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrialSettings(Section):
    """Another version of a prompt, for a `share` (0 to 1) of the correlation ids."""

    version: PromptVersion
    share: Annotated[float, Field(gt=0, le=1)]


class AgentSettings(Section):
    """One agent: how many pods of it, how large they are, and the tokens it may use in a UTC day.

    When nodes are scarce, an agent of priority `batch` waits for those that are `critical`. `pins` say which
    version of a prompt is served, `trials` which one beside it, both by the prompt's name; the versions are
    files `prompts/<agent>/<name>.<version>.md`.
    """

    replicas: Count = 1
    max_replicas: Count = 3
    cpu: Cpu = "100m"
    memory: Memory = "256Mi"
    memory_limit: Memory = "512Mi"
    daily_tokens: Annotated[int, Field(ge=1_000)] = 1_000_000
    priority: Literal["critical", "batch"] = "critical"
    pins: dict[PromptName, PromptVersion] = {}
    trials: dict[PromptName, TrialSettings] = {}

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.max_replicas < self.replicas:
            raise ValueError(f"max_replicas ({self.max_replicas}) is below replicas ({self.replicas})")
        return self


class AuthenticationSettings(Section):
    """Whose tokens let their bearer call the agents: those of an Entra ID tenant for an application in it.

    The application has the app roles Agents.Execute and Agents.Read. Only `dev` may be without.
    """

    tenant: ObjectId
    audience: Audience


class HttpSettings(Section):
    """The largest request, and how many requests a pod takes of one caller (None: no limit)."""

    max_body_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    rate: Rate | None = None


class NetworkSettings(Section):
    """The address plan, and whether services answer only inside it (`private`).

    `builds` is where images are built for a private registry.
    `pods` and `services` are the cluster's own ranges (overlay): they must not overlap the network's.
    `allowed_ranges` may reach a service that is not private; empty means anyone with a role.
    """

    private: bool = False
    address_space: PrivateRange = "10.240.0.0/16"
    nodes: PrivateRange = "10.240.0.0/20"
    endpoints: PrivateRange = "10.240.16.0/24"
    builds: PrivateRange = "10.240.17.0/24"
    pods: PrivateRange = "10.244.0.0/16"
    services: PrivateRange = "10.96.0.0/16"
    allowed_ranges: list[PublicRange] = []

    @model_validator(mode="after")
    def _plan(self) -> Self:
        space = IPv4Network(self.address_space)
        subnets = ("nodes", "endpoints", "builds")
        for name in subnets:
            if not IPv4Network(getattr(self, name)).subnet_of(space):
                raise ValueError(f"{name} ({getattr(self, name)}) lies outside address_space ({space})")
        apart = (*combinations(subnets, 2), *combinations(("address_space", "pods", "services"), 2))
        for one, other in apart:
            if IPv4Network(getattr(self, one)).overlaps(IPv4Network(getattr(self, other))):
                raise ValueError(
                    f"{one} ({getattr(self, one)}) and {other} ({getattr(self, other)}) overlap; "
                    "move one of them"
                )
        return self


class PoolSettings(Section):
    """A node pool: machine size and the autoscaler's bounds."""

    size: MachineSize = "Standard_D2ads_v5"
    minimum: Annotated[int, Field(ge=1, le=1000)] = 1
    maximum: Annotated[int, Field(ge=1, le=1000)] = 2

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError(f"maximum ({self.maximum}) is below minimum ({self.minimum})")
        return self


class MaintenanceSettings(Section):
    """When Azure may upgrade the cluster and its nodes, in UTC; a window lasts at least four hours."""

    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] = "Sunday"
    hour: Annotated[int, Field(ge=0, le=23)] = 2
    duration_hours: Annotated[int, Field(ge=4, le=24)] = 4


class ClusterSettings(Section):
    """Version, tier and pools of the AKS cluster. More than one zone needs regions that have them.

    `upgrades` is the channel by which Azure upgrades Kubernetes itself (`stable` and `rapid` to new minor
    versions too); nodes always get images with security fixes. `defender` turns on Defender for Containers.
    """

    kubernetes_version: KubernetesVersion = "1.34"
    tier: Literal["Free", "Standard", "Premium"] = "Free"
    zones: list[Literal["1", "2", "3"]] = []
    upgrades: Literal["none", "patch", "stable", "rapid", "node-image"] = "patch"
    maintenance: MaintenanceSettings = MaintenanceSettings()
    system: PoolSettings = PoolSettings()
    user: PoolSettings = PoolSettings(size="Standard_D4ads_v5")
    defender: bool = False

    @model_validator(mode="after")
    def _version_stays(self) -> Self:
        patch = self.kubernetes_version.count(".") == 2
        if patch and self.upgrades not in {"none", "node-image"}:
            raise ValueError(
                f"kubernetes_version {self.kubernetes_version} names a patch, which upgrades "
                f"({self.upgrades}) soon leaves behind: name the minor version only, or set upgrades to none"
            )
        return self


class ModelSettings(Section):
    """The model deployment that the agents use; `capacity` in thousands of tokens per minute.

    `reasoning`: how long a reasoning model thinks before it answers; without, as little as it can. It may use
    `reasoning_tokens` for that on top of an answer's: without, none where it does not think, and else 8192.
    They count towards the capacity and the agents' budgets.
    """

    name: str = "gpt-5.4-mini"
    version: str = "2026-03-17"
    capacity: Annotated[int, Field(ge=1, le=10000)] = 50
    reasoning: Effort | None = None
    reasoning_tokens: Annotated[int, Field(ge=0, le=100_000)] | None = None

    @property
    def effort(self) -> Effort | None:
        """None for a model that is not told, since it cannot think."""
        return self.reasoning or reasoning.least(self.name)

    @property
    def thought(self) -> int:
        """The tokens that it may use for thinking."""
        if self.reasoning_tokens is not None:
            return self.reasoning_tokens
        return 0 if self.effort in {None, "none", "minimal"} else reasoning.THOUGHT

    @model_validator(mode="after")
    def _told_what_it_can(self) -> Self:
        if self.reasoning and not reasoning.can_reason(self.name):
            raise ValueError(f"{self.name} does not reason: leave out reasoning")
        if self.reasoning_tokens and self.effort in {None, "none"}:
            raise ValueError(
                f"{self.name} does not think before it answers, and needs no reasoning_tokens: "
                "leave them out, or set reasoning"
            )
        return self


class RegistrySettings(Section):
    """`retention_days` of untagged manifests, zone redundancy and replicas need Premium.

    `builders`: the size of the machine that builds images inside a private network (S1: 2 cores, S3: 8).
    """

    sku: Literal["Basic", "Standard", "Premium"] = "Basic"
    retention_days: Annotated[int, Field(ge=1, le=365)] = 30
    builders: Literal["S1", "S2", "S3"] = "S1"


class CosmosSettings(Section):
    """`throughput`: the most request units per second of a container, which scales down to a tenth."""

    throughput: Annotated[int, Field(ge=1000, le=1_000_000, multiple_of=1000)] = 1000
    backup: Literal["Continuous7Days", "Continuous30Days"] = "Continuous7Days"
    events_days: Annotated[int, Field(ge=1, le=3650)] = 90


class LongTermSettings(Section):
    """How long Azure SQL's weekly, monthly and yearly full backups are kept (ISO 8601 durations)."""

    weekly: Iso8601Weeks = "P5W"
    monthly: Iso8601Weeks = "P12M"
    yearly: Iso8601Weeks = "P5Y"


class SqlSettings(Section):
    """Database size and backups. `point_in_time_days` is how far back a restore can go.

    `failover_group`: with a paired region, a second server there follows. Without it there are geo-redundant
    backups only, up to an hour old, which a stamp is restored from (`recovery.sql`: `geo-restore`).
    """

    sku: Literal["GP_S_Gen5_1", "GP_S_Gen5_2", "GP_Gen5_2", "GP_Gen5_4", "BC_Gen5_2", "BC_Gen5_4"] = (
        "GP_S_Gen5_1"
    )
    max_size_gb: Annotated[int, Field(ge=1, le=4096)] = 32
    point_in_time_days: Annotated[int, Field(ge=1, le=35)] = 7
    long_term: LongTermSettings | None = None
    failover_group: bool = True


class StorageSettings(Section):
    """`dead_letter_days`: dead letters can neither be changed nor deleted for that long."""

    soft_delete_days: Annotated[int, Field(ge=1, le=365)] = 7
    dead_letter_days: Annotated[int, Field(ge=1, le=365)] = 7


class EventSettings(Section):
    """How long and how often Event Grid tries to deliver before an event becomes a dead letter."""

    attempts: Annotated[int, Field(ge=1, le=30)] = 30
    minutes: Annotated[int, Field(ge=1, le=1440)] = 1440


class VaultSettings(Section):
    """`purge_protection` can never be turned off again: a deleted vault then keeps its name until it ends."""

    soft_delete_days: Annotated[int, Field(ge=7, le=90)] = 7
    purge_protection: bool = False


class TelemetrySettings(Section):
    """Retention of logs, and the most that may be ingested in a day (None: no cap)."""

    retention_days: Annotated[int, Field(ge=30, le=730)] = 30
    daily_cap_gb: Annotated[float, Field(gt=0)] | None = 1.0


class AlertSettings(Section):
    """Who is told. PagerDuty's and Teams' URLs carry keys: `pulumi config set --secret --path …`.

    `drills`: this environment is drilled, so that it is told, too, when nobody knows of any drill. An old
    drill is told of in any case.
    """

    drills: bool = False
    emails: list[Email] = []
    pagerduty: SecretStr | None = None
    teams: SecretStr | None = None


class BudgetSettings(Section):
    """What the environment may cost in a month, in the subscription's currency.

    `start` counts when the budget is made; without it, or when it is past by then, that month is the first.
    """

    monthly: Annotated[int, Field(ge=1)] = 500
    start: BudgetStart | None = None


class CertificateSettings(Section):
    """Where certificates come from: an ACME directory, and whom it may write to about them."""

    server: HttpsUrl = "https://acme-v02.api.letsencrypt.org/directory"
    email: Email | None = None
