"""Which resource types the program declares, where, and under which settings.

What must be registered, offered in a region and permitted follows from it. The reviewed resource graphs say
whether it is still true (`tests/infra/preflight/test_declared.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.settings import Settings

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


def _replicated(settings: Settings) -> bool:
    return settings.registry.sku == "Premium" and _two_regions(settings)


def _told(settings: Settings) -> bool:
    alerts = settings.alerts
    return bool(alerts.emails or alerts.pagerduty or alerts.teams)


def _long_term(settings: Settings) -> bool:
    return settings.sql.long_term is not None


@dataclass(frozen=True)
class Declared:
    """A type. `own` and `paired`: whether resources of it are placed in these regions."""

    type: str
    own: bool = False
    paired: bool = False
    when: Condition = _always

    @property
    def namespace(self) -> str:
        return self.type.partition("/")[0]

    @property
    def operations(self) -> str:
        """What its actions begin with: a group is spelt as the subscription's there."""
        return self.type.replace("Microsoft.Resources/", "Microsoft.Resources/subscriptions/")

    def regions(self, settings: Settings) -> Iterator[str]:
        if self.own:
            yield settings.location
        if self.paired and settings.paired_location is not None:
            yield settings.paired_location


_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_AKS = "Microsoft.ContainerService/managedClusters"
_COSMOS = "Microsoft.DocumentDB/databaseAccounts"
_SQL = "Microsoft.Sql/servers"
_STORAGE = "Microsoft.Storage/storageAccounts"
_ZONES = "Microsoft.Network/privateDnsZones"

_TABLE = (
    Declared("Microsoft.AlertsManagement/prometheusRuleGroups", own=True),
    Declared("Microsoft.Authorization/locks", when=_protected),
    Declared("Microsoft.Authorization/roleAssignments"),
    Declared("Microsoft.CognitiveServices/accounts", own=True, paired=True),
    Declared("Microsoft.CognitiveServices/accounts/deployments"),
    Declared("Microsoft.CognitiveServices/accounts/raiPolicies"),
    Declared("Microsoft.Consumption/budgets"),
    Declared("Microsoft.ContainerRegistry/registries", own=True),
    Declared("Microsoft.ContainerRegistry/registries/agentPools", own=True, when=_private),
    Declared("Microsoft.ContainerRegistry/registries/replications", paired=True, when=_replicated),
    Declared(_AKS, own=True),
    Declared(f"{_AKS}/agentPools"),
    Declared(f"{_AKS}/maintenanceConfigurations"),
    Declared("Microsoft.Dashboard/grafana", own=True),
    Declared(_COSMOS, own=True),
    Declared(f"{_COSMOS}/sqlDatabases"),
    Declared(f"{_COSMOS}/sqlDatabases/containers"),
    Declared(f"{_COSMOS}/sqlRoleAssignments"),
    Declared(f"{_COSMOS}/sqlRoleDefinitions"),
    Declared("Microsoft.EventGrid/eventSubscriptions"),
    Declared("Microsoft.EventGrid/topics", own=True),
    Declared("Microsoft.Insights/actionGroups", when=_told),
    Declared("Microsoft.Insights/activityLogAlerts"),
    Declared("Microsoft.Insights/components", own=True),
    Declared("Microsoft.Insights/dataCollectionEndpoints", own=True),
    Declared("Microsoft.Insights/dataCollectionRuleAssociations"),
    Declared("Microsoft.Insights/dataCollectionRules", own=True),
    Declared("Microsoft.Insights/diagnosticSettings"),
    Declared("Microsoft.KeyVault/vaults", own=True),
    Declared(_IDENTITIES, own=True, paired=True),
    Declared(f"{_IDENTITIES}/federatedIdentityCredentials"),
    Declared("Microsoft.Monitor/accounts", own=True),
    Declared("Microsoft.Network/dnsZones"),
    Declared("Microsoft.Network/dnsZones/A"),
    Declared("Microsoft.Network/natGateways", own=True),
    Declared("Microsoft.Network/networkSecurityGroups", own=True),
    Declared(_ZONES, when=_private),
    Declared(f"{_ZONES}/virtualNetworkLinks", when=_private),
    Declared("Microsoft.Network/privateEndpoints", own=True, when=_private),
    Declared("Microsoft.Network/privateEndpoints/privateDnsZoneGroups", when=_private),
    Declared("Microsoft.Network/publicIPAddresses", own=True),
    Declared("Microsoft.Network/virtualNetworks", own=True),
    Declared("Microsoft.OperationalInsights/workspaces", own=True),
    Declared("Microsoft.Resources/resourceGroups"),
    Declared(_SQL, own=True, paired=True),
    Declared(f"{_SQL}/auditingSettings"),
    Declared(f"{_SQL}/databases", own=True),
    Declared(f"{_SQL}/databases/backupLongTermRetentionPolicies", when=_long_term),
    Declared(f"{_SQL}/databases/backupShortTermRetentionPolicies"),
    Declared(f"{_SQL}/databases/transparentDataEncryption"),
    Declared(f"{_SQL}/failoverGroups", when=_two_regions),
    Declared(f"{_SQL}/firewallRules", when=_open),
    Declared(_STORAGE, own=True),
    Declared(f"{_STORAGE}/blobServices"),
    Declared(f"{_STORAGE}/blobServices/containers"),
    Declared(f"{_STORAGE}/blobServices/containers/immutabilityPolicies"),
    Declared(f"{_STORAGE}/queueServices/queues"),
)

#: What the program asks for beside reading, writing and deleting: a kubeconfig, a build of the image, and
#: that one resource may use another.
#: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
_BESIDE = (
    f"{_AKS}/listClusterUserCredential/action",
    "Microsoft.ContainerRegistry/registries/listBuildSourceUploadUrl/action",
    "Microsoft.ContainerRegistry/registries/scheduleRun/action",
    "Microsoft.ContainerRegistry/registries/runs/read",
    f"{_IDENTITIES}/assign/action",
    "Microsoft.Network/natGateways/join/action",
    "Microsoft.Network/networkSecurityGroups/join/action",
    "Microsoft.Network/publicIPAddresses/join/action",
    "Microsoft.Network/virtualNetworks/subnets/join/action",
)
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
    return [one for one in _TABLE if one.when(settings)]


def namespaces(settings: Settings) -> list[str]:
    """Providers to register: the types', and those that AKS uses in the subscription's name.

    https://learn.microsoft.com/azure/aks/use-azure-policy,
    https://learn.microsoft.com/azure/defender-for-cloud/defender-for-containers-enable
    """
    behind = {"Microsoft.Compute", "Microsoft.PolicyInsights"}
    if settings.cluster.defender:
        behind.add("Microsoft.Security")
    return sorted({one.namespace for one in declared(settings)} | behind)


def actions(settings: Settings) -> list[str]:
    """What whoever deploys must be allowed to do."""
    wanted = [
        f"{one.operations}/{verb}" for one in declared(settings) for verb in ("read", "write", "delete")
    ]
    if settings.network.private:
        wanted += [f"{type_}/privateEndpointConnectionsApproval/action" for type_ in _APPROVED]
        wanted += [f"{_ZONES}/join/action", "Microsoft.Network/virtualNetworks/join/action"]
    return sorted({*wanted, *_BESIDE})
