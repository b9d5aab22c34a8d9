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
    """What is deleted lies in no group, nor do long-term backups and what accounts are restored from."""
    match settings.role:
        case "environment":
            return [*_RESTORES, *_BACKUPS]
        case "recovery" if settings.recovery.cosmos == "restore":
            return [*_RESTORES]
        case _:
            return []


def in_source(settings: Settings) -> list[str]:
    """In the group of `settings.source`; nothing for an environment."""
    match settings.role:
        case "backup":
            return sorted(_copied(private=settings.network.private))
        case "recovery":
            return sorted(_shared(private=settings.network.private) | _rows(settings) | _documents(settings))
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


def _shared(*, private: bool) -> set[str]:
    found = {
        *_ASSIGN,
        "Microsoft.Network/dnsZones/A/read",
        "Microsoft.Network/dnsZones/A/write",
        "Microsoft.Resources/deployments/read",
        "Microsoft.Resources/deployments/write",
        f"{_REGISTRY}/read",
    }
    return found | ({f"{_REGISTRY}/{_APPROVE}"} if private else set())


def _rows(settings: Settings) -> set[str]:
    if settings.recovery.sql == "geo-restore":
        return {f"{_SQL}/recoverableDatabases/read", f"{_SQL}/failoverGroups/read"}
    private = settings.network.private
    credentials = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    written = (credentials, *(() if private else (f"{_SQL}/firewallRules",)))
    found = {
        *(f"{type_}/{verb}" for type_ in written for verb in ("read", "write", "delete")),
        f"{_SQL}/read",
        f"{_SQL}/failoverGroups/read",
        *(f"{_SQL}/failoverGroups/{how}/action" for how in _FAILOVERS),
        "Microsoft.ManagedIdentity/userAssignedIdentities/read",
    }
    return found | ({f"{_SQL}/{_APPROVE}"} if private else set())


def _documents(settings: Settings) -> set[str]:
    if settings.recovery.cosmos == "restore":
        return {f"{_COSMOS}/read"}
    found = {
        *(f"{_COSMOS}/sqlRoleAssignments/{verb}" for verb in ("read", "write", "delete")),
        f"{_COSMOS}/read",
        f"{_COSMOS}/failoverPriorityChange/action",
    }
    return found | ({f"{_COSMOS}/{_APPROVE}"} if settings.network.private else set())


#: Planned, forced, and forced only when the plan fails.
_FAILOVERS = ("failover", "forceFailoverAllowDataLoss", "tryPlannedBeforeForcedFailover")
