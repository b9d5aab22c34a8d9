"""What holds data, and what would be gone with it. One table for the rules and for the plan guard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Holding:
    """`what` is lost with the resource; `remains` is what Azure keeps of it for a while, if anything.

    `protected`: in production the program must protect it.
    """

    what: str
    remains: str = ""
    protected: bool = False


# Retention of deleted things: https://learn.microsoft.com/azure/reliability/overview-reliability-guidance
STATEFUL = {
    "azure-native:containerregistry:Registry": Holding(
        "all images, also those that running pods may have to pull again", protected=True
    ),
    "azure-native:cosmosdb:DatabaseAccount": Holding(
        "all databases, containers and items of the account",
        "With continuous backup it can be restored, into a new account, within its window",
        protected=True,
    ),
    "azure-native:cosmosdb:SqlResourceSqlContainer": Holding(
        "all items of the container",
        "With continuous backup it can be restored within the account's backup window",
        protected=True,
    ),
    "azure-native:cosmosdb:SqlResourceSqlDatabase": Holding(
        "all containers of the database with their items",
        "With continuous backup it can be restored within the account's backup window",
        protected=True,
    ),
    "azure-native:dataprotection:BackupVault": Holding("the backups in the vault"),
    "azure-native:dns:Zone": Holding(
        "all records, and the name servers that the parent zone delegates to: every name stops resolving"
    ),
    "azure-native:keyvault:Key": Holding("whatever is encrypted with the key", "It stays soft-deleted"),
    "azure-native:keyvault:Secret": Holding("the secret and its versions", "It stays soft-deleted"),
    "azure-native:keyvault:Vault": Holding(
        "all secrets, keys and certificates",
        "The vault stays soft-deleted, and its name taken, for its retention",
        protected=True,
    ),
    "azure-native:monitor:AzureMonitorWorkspace": Holding("all metrics collected so far"),
    "azure-native:operationalinsights:Table": Holding("the rows of the table"),
    "azure-native:operationalinsights:Workspace": Holding(
        "all logs and traces", "The workspace can be recovered for 14 days"
    ),
    "azure-native:resources:ResourceGroup": Holding("everything in the group"),
    "azure-native:sql:Database": Holding(
        "all rows", "A deleted database can be restored within its short-term retention", protected=True
    ),
    "azure-native:sql:Server": Holding(
        "all databases of the server; their point-in-time backups go with it",
        "Long-term backups remain",
        protected=True,
    ),
    "azure-native:storage:BlobContainer": Holding(
        "all blobs of the container", "With soft delete it can be restored for its retention", protected=True
    ),
    "azure-native:storage:Queue": Holding("the messages that are waiting in the queue"),
    "azure-native:storage:StorageAccount": Holding(
        "all blobs and queued messages", "It can be recovered for 14 days at best", protected=True
    ),
    "kubernetes:core:Namespace": Holding("everything in the namespace, its volumes too"),
    "kubernetes:core:PersistentVolume": Holding("the volume's data"),
    "kubernetes:core:PersistentVolumeClaim": Holding("the volume's data, unless its class retains it"),
}

PROTECTED = tuple(kind for kind, holding in STATEFUL.items() if holding.protected)
