"""Which resource types the program declares, where, and under which settings.

What must be registered, offered in a region and permitted follows from it. The reviewed resource graphs say
whether it is still true (`tests/infra/preflight/test_declared.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from infra.settings import Settings, read_source
from infra.settings.types import Role

Condition = Callable[[Settings], bool]


def _always(_: Settings) -> bool:
    return True


def _private(settings: Settings) -> bool:
    return settings.network.private


def _open(settings: Settings) -> bool:
    return not settings.network.private


def _protected(settings: Settings) -> bool:
    return settings.protect


def _two_regions(settings: Settings) -> bool:
    return settings.paired_location is not None


def _follows(settings: Settings) -> bool:
    return _two_regions(settings) and settings.sql.failover_group


def _alone(settings: Settings) -> bool:
    return not _follows(settings)


def _own_rows(settings: Settings) -> bool:
    return settings.recovery.sql == "geo-restore"


def _own_documents(settings: Settings) -> bool:
    return settings.recovery.cosmos == "restore"


def _replicated(settings: Settings) -> bool:
    return settings.registry.sku == "Premium" and _two_regions(settings)


def _told(settings: Settings) -> bool:
    alerts = settings.alerts
    return bool(alerts.emails or alerts.pagerduty or alerts.teams)


def _long_term(settings: Settings) -> bool:
    return settings.sql.long_term is not None


def _own_long_term(settings: Settings) -> bool:
    return _own_rows(settings) and _long_term(settings)


#: Which stacks declare a type: an environment and its stamp are alike but for the data, which a stamp takes
#: over. A backup has what copies need.
_SERVING: tuple[Role, ...] = ("environment", "recovery")
_ENVIRONMENT: tuple[Role, ...] = ("environment",)
_RECOVERY: tuple[Role, ...] = ("recovery",)
_BACKUP: tuple[Role, ...] = ("backup",)
_ALL = _SERVING + _BACKUP


@dataclass(frozen=True)
class Declared:
    """A type. `own` and `paired`: whether resources of it are placed in these regions; `origin`: in the one
    of the environment that the stack belongs to.
    """

    type: str
    own: bool = False
    paired: bool = False
    when: Condition = _always
    roles: tuple[Role, ...] = _SERVING
    origin: bool = False

    @property
    def namespace(self) -> str:
        return self.type.partition("/")[0]

    @property
    def operations(self) -> str:
        """What its actions begin with: a group is spelt as the subscription's there."""
        groups = "Microsoft.Resources/subscriptions/resourceGroups"
        return self.type.replace("Microsoft.Resources/resourceGroups", groups)

    def regions(self, settings: Settings) -> Iterator[str]:
        if self.own:
            yield settings.location
        if self.paired and settings.paired_location is not None:
            yield settings.paired_location
        if self.origin:
            yield read_source(settings).location


_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_AKS = "Microsoft.ContainerService/managedClusters"
_COSMOS = "Microsoft.DocumentDB/databaseAccounts"
_SQL = "Microsoft.Sql/servers"
_STORAGE = "Microsoft.Storage/storageAccounts"
_ZONES = "Microsoft.Network/privateDnsZones"
_BACKUP_VAULTS = "Microsoft.DataProtection/backupVaults"

_TABLE = (
    Declared("Microsoft.AlertsManagement/prometheusRuleGroups", own=True),
    Declared("Microsoft.Authorization/locks", when=_protected, roles=_ALL),
    Declared("Microsoft.Authorization/roleAssignments", roles=_ALL),
    # Roles of their own, narrower than Azure's, for who copies secrets and who brings them back.
    Declared("Microsoft.Authorization/roleDefinitions", roles=_BACKUP + _RECOVERY),
    Declared("Microsoft.CognitiveServices/accounts", own=True, paired=True),
    Declared("Microsoft.CognitiveServices/accounts/deployments"),
    Declared("Microsoft.CognitiveServices/accounts/raiPolicies"),
    Declared("Microsoft.Consumption/budgets", roles=_ALL),
    Declared("Microsoft.ContainerRegistry/registries", own=True, roles=_ENVIRONMENT + _BACKUP),
    Declared(
        "Microsoft.ContainerRegistry/registries/agentPools", own=True, when=_private, roles=_ENVIRONMENT
    ),
    Declared(
        "Microsoft.ContainerRegistry/registries/replications",
        paired=True,
        when=_replicated,
        roles=_ENVIRONMENT,
    ),
    Declared(_AKS, own=True),
    Declared(f"{_AKS}/agentPools"),
    Declared(f"{_AKS}/maintenanceConfigurations"),
    Declared("Microsoft.Dashboard/grafana", own=True),
    Declared(_COSMOS, own=True, roles=_ENVIRONMENT),
    Declared(f"{_COSMOS}/sqlDatabases", roles=_ENVIRONMENT),
    Declared(f"{_COSMOS}/sqlDatabases/containers", roles=_ENVIRONMENT),
    Declared(f"{_COSMOS}/sqlRoleAssignments"),
    Declared(f"{_COSMOS}/sqlRoleDefinitions", roles=_ENVIRONMENT),
    Declared("Microsoft.EventGrid/eventSubscriptions"),
    Declared("Microsoft.EventGrid/topics", own=True),
    Declared("Microsoft.Insights/actionGroups", when=_told),
    Declared("Microsoft.Insights/activityLogAlerts"),
    Declared("Microsoft.Insights/components", own=True),
    Declared("Microsoft.Insights/dataCollectionEndpoints", own=True),
    Declared("Microsoft.Insights/dataCollectionRuleAssociations"),
    Declared("Microsoft.Insights/dataCollectionRules", own=True),
    Declared("Microsoft.Insights/diagnosticSettings", roles=_ALL),
    Declared("Microsoft.KeyVault/vaults", own=True, roles=_ALL),
    Declared(_IDENTITIES, own=True, paired=True, roles=_ALL),
    Declared(f"{_IDENTITIES}/federatedIdentityCredentials", roles=_ALL),
    Declared("Microsoft.Monitor/accounts", own=True),
    Declared("Microsoft.Network/dnsZones", roles=_ENVIRONMENT),
    Declared("Microsoft.Network/dnsZones/A", roles=_ENVIRONMENT),
    Declared("Microsoft.Network/natGateways", own=True),
    Declared("Microsoft.Network/networkSecurityGroups", own=True),
    Declared(_ZONES, when=_private),
    Declared(f"{_ZONES}/virtualNetworkLinks", when=_private),
    Declared("Microsoft.Network/privateEndpoints", own=True, when=_private),
    Declared("Microsoft.Network/privateEndpoints/privateDnsZoneGroups", when=_private, roles=_ALL),
    Declared("Microsoft.Network/publicIPAddresses", own=True),
    Declared("Microsoft.Network/virtualNetworks", own=True),
    Declared("Microsoft.OperationalInsights/workspaces", own=True),
    Declared("Microsoft.Resources/resourceGroups"),
    Declared(_SQL, own=True, paired=True, when=_follows, roles=_ENVIRONMENT),
    Declared(_SQL, own=True, when=_alone, roles=_ENVIRONMENT),
    Declared(f"{_SQL}/auditingSettings", roles=_ENVIRONMENT),
    Declared(f"{_SQL}/databases", own=True, roles=_ENVIRONMENT),
    Declared(f"{_SQL}/databases/backupLongTermRetentionPolicies", when=_long_term, roles=_ENVIRONMENT),
    Declared(f"{_SQL}/databases/backupShortTermRetentionPolicies", roles=_ENVIRONMENT),
    Declared(f"{_SQL}/databases/transparentDataEncryption", roles=_ENVIRONMENT),
    Declared(f"{_SQL}/failoverGroups", when=_follows, roles=_ENVIRONMENT),
    Declared(f"{_SQL}/firewallRules", when=_open),
    Declared(_STORAGE, own=True, roles=_ALL),
    Declared(f"{_STORAGE}/blobServices", roles=_ALL),
    Declared(f"{_STORAGE}/blobServices/containers", roles=_ALL),
    Declared(f"{_STORAGE}/blobServices/containers/immutabilityPolicies", roles=_ALL),
    Declared(f"{_STORAGE}/queueServices/queues"),
    # What only a backup stack has. What watches and reaches its worker is on the environment's side.
    Declared("Microsoft.AlertsManagement/prometheusRuleGroups", origin=True, roles=_BACKUP),
    Declared(_BACKUP_VAULTS, origin=True, roles=_BACKUP),
    Declared(f"{_BACKUP_VAULTS}/backupInstances", roles=_BACKUP),
    Declared(f"{_BACKUP_VAULTS}/backupPolicies", roles=_BACKUP),
    Declared("Microsoft.KeyVault/vaults/keys", roles=_BACKUP),
    Declared("Microsoft.Network/privateEndpoints", origin=True, when=_private, roles=_BACKUP),
    Declared("Microsoft.Resources/resourceGroups", own=True, roles=_BACKUP),
    Declared(f"{_STORAGE}/managementPolicies", roles=_BACKUP),
    # What only a stamp has: it leads its source's name to itself.
    Declared("Microsoft.Resources/deployments", roles=_RECOVERY),
    # Data that it has for itself. A restored account belongs to the region that its source belongs to.
    Declared(_COSMOS, origin=True, when=_own_documents, roles=_RECOVERY),
    Declared(f"{_COSMOS}/sqlRoleDefinitions", when=_own_documents, roles=_RECOVERY),
    Declared(_SQL, own=True, when=_own_rows, roles=_RECOVERY),
    Declared(f"{_SQL}/auditingSettings", when=_own_rows, roles=_RECOVERY),
    Declared(f"{_SQL}/databases", own=True, when=_own_rows, roles=_RECOVERY),
    Declared(f"{_SQL}/databases/backupLongTermRetentionPolicies", when=_own_long_term, roles=_RECOVERY),
    Declared(f"{_SQL}/databases/backupShortTermRetentionPolicies", when=_own_rows, roles=_RECOVERY),
    Declared(f"{_SQL}/databases/transparentDataEncryption", when=_own_rows, roles=_RECOVERY),
)

_CLUSTER = (
    f"{_AKS}/listClusterUserCredential/action",
    f"{_IDENTITIES}/assign/action",
    "Microsoft.Network/natGateways/join/action",
    "Microsoft.Network/networkSecurityGroups/join/action",
    "Microsoft.Network/publicIPAddresses/join/action",
    "Microsoft.Network/virtualNetworks/subnets/join/action",
)
_BUILD = (
    "Microsoft.ContainerRegistry/registries/listBuildSourceUploadUrl/action",
    "Microsoft.ContainerRegistry/registries/scheduleRun/action",
    "Microsoft.ContainerRegistry/registries/runs/read",
)
#: What the program asks for beside reading, writing and deleting: a kubeconfig, a build of the image, and
#: that one resource may use another.
#: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
_BESIDE: Mapping[Role, tuple[str, ...]] = {
    "environment": (*_CLUSTER, *_BUILD),
    "recovery": _CLUSTER,
    "backup": (
        "Microsoft.ContainerRegistry/registries/importImage/action",
        f"{_IDENTITIES}/assign/action",
    ),
}
# What a private endpoint needs of the service it leads to.
_APPROVED = (
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.ContainerRegistry/registries",
    _COSMOS,
    "Microsoft.EventGrid/topics",
    "Microsoft.KeyVault/vaults",
    _SQL,
    _STORAGE,
)


def declared(settings: Settings) -> list[Declared]:
    return [one for one in _TABLE if settings.role in one.roles and one.when(settings)]


def namespaces(settings: Settings) -> list[str]:
    """Providers to register: the types', and those that AKS uses in the subscription's name.

    https://learn.microsoft.com/azure/aks/use-azure-policy,
    https://learn.microsoft.com/azure/defender-for-cloud/defender-for-containers-enable
    """
    behind = {"Microsoft.Compute", "Microsoft.PolicyInsights"} if settings.role in _SERVING else set()
    if behind and settings.cluster.defender:
        behind.add("Microsoft.Security")
    return sorted({one.namespace for one in declared(settings)} | behind)


def actions(settings: Settings) -> list[str]:
    """What whoever deploys must be allowed to do in the stack's own group."""
    types = declared(settings)
    wanted = [f"{one.operations}/{verb}" for one in types for verb in ("read", "write", "delete")]
    if settings.network.private:
        own = {one.type for one in types}
        wanted += [
            f"{type_}/privateEndpointConnectionsApproval/action" for type_ in _APPROVED if type_ in own
        ]
        if settings.role in _SERVING:
            wanted += [f"{_ZONES}/join/action", "Microsoft.Network/virtualNetworks/join/action"]
    return sorted({*wanted, *_BESIDE[settings.role]})
