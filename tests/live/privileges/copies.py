"""What is expected of who makes copies and who brings them back: the stacks `prod-backup` and `prod-dr`.

In the form of `grants.py`, but `gives` and `beside` are Azure's own operations, as the role grants them: no
running environment has these identities, so nothing here is measured. What a stamp has as an environment has
it is in `grants.py`. https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.live.privileges.cast import OPERATOR
from tests.live.privileges.grants import Grant

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_BLOBS = f"{_CONTAINERS}/blobs"
_DELEGATION = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"
_VAULTS = "Microsoft.KeyVault/vaults"
_COSMOS = "Microsoft.DocumentDB/databaseAccounts"
_COSMOS_CONTAINERS = f"{_COSMOS}/sqlDatabases/containers"
_REGISTRIES = "Microsoft.ContainerRegistry/registries"
_EVENTS = "Microsoft.EventGrid/eventSubscriptions"
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups/read"

# What built-in roles bring along, of which none reads or writes data here.
_READER_BESIDE = (f"{_CONTAINERS}/read", _DELEGATION)
_CRYPTO_BESIDE = (f"{_VAULTS}/keys/read", *(f"{_EVENTS}/{verb}" for verb in ("write", "read", "delete")))
_WRAPS = (f"{_VAULTS}/keys/wrap/action", f"{_VAULTS}/keys/unwrap/action")
_CRYPTO = "Key Vault Crypto Service Encryption User"
_WRITER, _WRITES = "copy writer", (f"{_BLOBS}/read", f"{_BLOBS}/add/action")

_BACKUP = (
    Grant(
        "copier",
        "Key Vault Secrets User",
        "vaults/kv-agents-prod",
        "the secrets that it copies, every version of them (`app/backup/secrets.py`)",
        (f"{_VAULTS}/secrets/getSecret/action", f"{_VAULTS}/secrets/readMetadata/action"),
    ),
    Grant(
        "copier",
        "Storage Blob Data Reader",
        "containers/dead-letters of stagentsprod",
        "the dead letters that it copies (`app/backup/letters.py`)",
        (f"{_BLOBS}/read",),
        _READER_BESIDE,
    ),
    Grant(
        "copier",
        "backups reader",
        "databaseAccounts/cosmos-agents-prod",
        "up to when documents could be restored (`app/backup/restorable.py`)",
        (f"{_COSMOS_CONTAINERS}/retrieveContinuousBackupInformation/action",),
        # One role for both kinds of databases.
        ("Microsoft.Sql/servers/databases/read",),
    ),
    Grant(
        "copier",
        "backups reader",
        "servers/sql-agents-prod",
        "since when rows can be restored (`app/backup/restorable.py`)",
        ("Microsoft.Sql/servers/databases/read",),
        (f"{_COSMOS_CONTAINERS}/retrieveContinuousBackupInformation/action",),
    ),
    *(
        Grant(
            "copier",
            _WRITER,
            f"containers/{container} of stagentsprodbackup",
            f"its copies of {what}, made, read back and compared (`app/backup/container.py`)",
            _WRITES,
        )
        for container, what in (("secrets", "secrets"), ("dead-letters", "dead letters"))
    ),
    Grant(
        "copier",
        _CRYPTO,
        "keys/copies",
        "data keys, wrapped for each copy and unwrapped when it is read back (`app/backup/key.py`)",
        _WRAPS,
        _CRYPTO_BESIDE,
    ),
    # Azure Backup asks for this role, and for the whole account.
    # https://learn.microsoft.com/azure/backup/blob-backup-configure-manage
    Grant(
        "backup-vault",
        "Storage Account Backup Contributor",
        "storageAccounts/stagentsprod",
        "Azure Backup's copies of dead letters",
        (
            "Microsoft.Storage/storageAccounts/read",
            "Microsoft.Storage/storageAccounts/blobServices/read",
            "Microsoft.Storage/storageAccounts/blobServices/write",
            f"{_CONTAINERS}/read",
            *(
                f"Microsoft.Storage/storageAccounts/objectReplicationPolicies/{verb}"
                for verb in ("read", "write", "delete", "restorePointMarkers/write")
            ),
            "Microsoft.Storage/storageAccounts/restoreBlobRanges/action",
            *(f"Microsoft.Authorization/locks/{verb}" for verb in ("read", "write", "delete")),
        ),
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.Features/features/read",
            "Microsoft.Features/providers/features/read",
            "Microsoft.Storage/operations/read",
            f"{_CONTAINERS}/write",
            _GROUPS,
        ),
    ),
    Grant(
        OPERATOR,
        "Storage Blob Data Reader",
        "storageAccounts/stagentsprodbackup",
        "reading copies when nothing else is left, and `infra.recovery.state list` and `fetch`",
        (f"{_BLOBS}/read",),
        _READER_BESIDE,
    ),
    Grant(
        OPERATOR,
        _WRITER,
        "containers/pulumi-state of stagentsprodbackup",
        "`infra.recovery.state save`",
        (f"{_BLOBS}/add/action",),
        # The whole account's copies may be read already.
        (f"{_BLOBS}/read",),
    ),
    Grant(
        OPERATOR,
        _CRYPTO,
        "keys/copies",
        "opening copies of secrets by hand (`python -m app.backup.restore`), and making them by hand",
        _WRAPS,
        _CRYPTO_BESIDE,
    ),
    Grant(
        OPERATOR,
        "AcrPull",
        "registries/acragentsprodbackup",
        "the digest of what was imported (`infra/workload/image_copies.py`)",
        (f"{_REGISTRIES}/pull/read",),
    ),
)
_STAMP = (
    Grant(
        "secret-restoration",
        "Storage Blob Data Reader",
        "containers/secrets of stagentsprodbackup",
        "the copies of secrets (`app/backup/restoration.py`)",
        (f"{_BLOBS}/read",),
        _READER_BESIDE,
    ),
    Grant(
        "secret-restoration",
        "copy unwrapper",
        "keys/copies",
        "their data keys (`app/backup/key.py`)",
        (f"{_VAULTS}/keys/unwrap/action",),
    ),
    Grant(
        "secret-restoration",
        "secret writer",
        "vaults/kv-agents-prod-dr",
        "secrets, set in the stamp's vault unless they are there (`app/backup/restoration.py`)",
        (f"{_VAULTS}/secrets/getSecret/action", f"{_VAULTS}/secrets/setSecret/action"),
    ),
    Grant(
        "republishing",
        "Cosmos DB Built-in Data Reader",
        "colls/Events",
        "what was published and what was consumed (`app/events/unconsumed.py`)",
        (
            f"{_COSMOS}/readMetadata",
            f"{_COSMOS_CONTAINERS}/executeQuery",
            f"{_COSMOS_CONTAINERS}/items/read",
        ),
        (f"{_COSMOS_CONTAINERS}/readChangeFeed",),
    ),
    Grant(
        "republishing",
        "EventGrid Data Sender",
        "topics/topic-agents-prod-dr",
        "events that nobody has acted upon, published again (`app/republish.py`)",
        ("Microsoft.EventGrid/events/send/action",),
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.EventGrid/topics/read",
            "Microsoft.EventGrid/domains/read",
            "Microsoft.EventGrid/partnerNamespaces/read",
            "Microsoft.EventGrid/namespaces/read",
            _GROUPS,
        ),
    ),
    # An environment's kubelet pulls from its own registry; a stamp has none.
    Grant(
        "kubelet",
        "AcrPull",
        "registries/acragentsprod",
        "the pods' images, from the replica in the stamp's region",
        (f"{_REGISTRIES}/pull/read",),
    ),
)
#: By stack.
COPIES: Mapping[str, tuple[Grant, ...]] = {"prod-backup": _BACKUP, "prod-dr": _STAMP}
