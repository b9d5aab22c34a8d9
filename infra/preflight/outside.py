"""What whoever deploys must be allowed to do outside the stack's own group: where backups are looked up and
restored from, in the group of the environment that a backup or recovery stack belongs to, and in the group of
that environment's copies.

The operations' names: https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
"""

from __future__ import annotations

from infra.settings import Settings

_COSMOS, _SQL = "Microsoft.DocumentDB/databaseAccounts", "Microsoft.Sql/servers"
_REGISTRY, _ZONES = "Microsoft.ContainerRegistry/registries", "Microsoft.Network/privateDnsZones"
_APPROVE = "privateEndpointConnectionsApproval/action"
_VAULTS, _STORAGE = "Microsoft.KeyVault/vaults", "Microsoft.Storage/storageAccounts"
_ASSIGN = [f"Microsoft.Authorization/roleAssignments/{verb}" for verb in ("read", "write", "delete")]
_DEFINE = [f"Microsoft.Authorization/roleDefinitions/{verb}" for verb in ("read", "write", "delete")]

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
            return sorted(_shared(settings) | _rows(settings) | _documents(settings))
        case _:
            return []


def in_backup(settings: Settings) -> list[str]:
    """In the group of the backup stack of `settings.source`: what a stamp takes from there."""
    if settings.role != "recovery":
        return []
    found: set[str] = set()
    approved = []
    if settings.recovery.secrets == "copies":
        found |= {
            *_ASSIGN,
            *_DEFINE,
            f"{_VAULTS}/keys/read",
            f"{_STORAGE}/blobServices/containers/read",
        }
        approved += [_VAULTS, _STORAGE]
    if settings.recovery.images == "backup":
        found |= {*_ASSIGN, f"{_REGISTRY}/read"}
        approved += [_REGISTRY]
    if settings.network.private:
        found |= {f"{type_}/{_APPROVE}" for type_ in approved}
    return sorted(found)


def _copied(*, private: bool) -> set[str]:
    found = {
        *_ASSIGN,
        *_DEFINE,
        "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
        "Microsoft.ContainerService/managedClusters/read",
        # Whoever imports an image has to be one who may pull it.
        # https://learn.microsoft.com/azure/container-registry/container-registry-import-images
        f"{_REGISTRY}/pull/read",
        f"{_REGISTRY}/read",
        "Microsoft.Network/publicIPAddresses/read",
    }
    if private:
        found |= {"Microsoft.Network/virtualNetworks/subnets/join/action", f"{_ZONES}/join/action"}
    return found


def _shared(settings: Settings) -> set[str]:
    found = {
        "Microsoft.Network/dnsZones/A/read",
        "Microsoft.Network/dnsZones/A/write",
        "Microsoft.Resources/deployments/read",
        "Microsoft.Resources/deployments/write",
    }
    if settings.recovery.images == "replica":
        found |= {*_ASSIGN, f"{_REGISTRY}/read"}
        found |= {f"{_REGISTRY}/{_APPROVE}"} if settings.network.private else set()
    return found


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
