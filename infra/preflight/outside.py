"""What whoever deploys must be allowed to do outside the stack's own group: where backups are looked up and
restored from, and in the group of the environment that a backup or recovery stack belongs to.

The operations' names: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
"""

from __future__ import annotations

from infra.settings import Settings

_COSMOS, _SQL = "Microsoft.DocumentDB/databaseAccounts", "Microsoft.Sql/servers"
_REGISTRY, _ZONES = "Microsoft.ContainerRegistry/registries", "Microsoft.Network/privateDnsZones"
_APPROVE = "privateEndpointConnectionsApproval/action"
_ASSIGN = [f"Microsoft.Authorization/roleAssignments/{verb}" for verb in ("read", "write", "delete")]

#: Finding and restoring accounts, those that were deleted, too.
#: https://learn.microsoft.com/azure/cosmos-db/continuous-backup-restore-permissions
RESTORABLE = "Microsoft.DocumentDB/locations/restorableDatabaseAccounts"
_RESTORES = (f"{RESTORABLE}/read", f"{RESTORABLE}/*/read", f"{RESTORABLE}/restore/action")
_LONG_TERM = "Microsoft.Sql/locations/longTermRetentionServers/longTermRetentionDatabases"
#: Databases that were deleted, and backups that are kept for years.
_BACKUPS = (f"{_SQL}/restorableDroppedDatabases/read", f"{_LONG_TERM}/longTermRetentionBackups/read")


def in_subscription(settings: Settings) -> list[str]:
    """What is deleted lies in no group, nor do long-term backups. Only an environment restores."""
    return [*_RESTORES, *_BACKUPS] if settings.role == "environment" else []


def in_source(settings: Settings) -> list[str]:
    """In the group of `settings.source`; nothing for an environment."""
    match settings.role:
        case "backup":
            return sorted(_copied(private=settings.network.private))
        case "recovery":
            return sorted(_taken_over(private=settings.network.private))
        case _:
            return []


def _copied(*, private: bool) -> set[str]:
    found = {
        *_ASSIGN,
        *(f"Microsoft.Authorization/roleDefinitions/{verb}" for verb in ("read", "write", "delete")),
        "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
        "Microsoft.ContainerService/managedClusters/read",
        f"{_REGISTRY}/read",
        "Microsoft.Network/publicIPAddresses/read",
    }
    if private:
        found |= {"Microsoft.Network/virtualNetworks/subnets/join/action", f"{_ZONES}/join/action"}
    return found


def _taken_over(*, private: bool) -> set[str]:
    credentials = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    written = (f"{_COSMOS}/sqlRoleAssignments", credentials, *(() if private else (f"{_SQL}/firewallRules",)))
    found = {
        *_ASSIGN,
        *(f"{type_}/{verb}" for type_ in written for verb in ("read", "write", "delete")),
        f"{_COSMOS}/read",
        f"{_COSMOS}/failoverPriorityChange/action",
        f"{_SQL}/read",
        f"{_SQL}/failoverGroups/read",
        *(f"{_SQL}/failoverGroups/{how}/action" for how in _FAILOVERS),
        "Microsoft.ManagedIdentity/userAssignedIdentities/read",
        "Microsoft.Network/dnsZones/A/read",
        "Microsoft.Network/dnsZones/A/write",
        "Microsoft.Resources/deployments/read",
        "Microsoft.Resources/deployments/write",
        f"{_REGISTRY}/read",
    }
    if private:
        found |= {f"{type_}/{_APPROVE}" for type_ in (_COSMOS, _SQL, _REGISTRY)}
    return found


#: Planned, forced, and forced only when the plan fails.
_FAILOVERS = ("failover", "forceFailoverAllowDataLoss", "tryPlannedBeforeForcedFailover")
