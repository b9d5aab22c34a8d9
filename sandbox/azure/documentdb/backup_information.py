"""Up to when a container is backed up: what `retrieveContinuousBackupInformation` answers.

https://learn.microsoft.com/azure/cosmos-db/get-latest-restore-timestamp
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.resource import Resource
from sandbox.azure.documentdb import naming
from sandbox.azure.documentdb.account_body import continuous


def latest_backup(account: Resource, location: object, behind: float) -> dict[str, Any]:
    """The latest moment a container can be restored to in a region, to the second, as Azure writes it: now,
    but for the seconds by which backups are behind.

    Raises ArmError 400 for a region without the account, and for an account without continuous backup.
    """
    if not continuous(account.properties):
        raise bad_request("BadRequest", f"The account '{account.id.name}' has no continuous backup.")
    regions = [naming.region(place) for place in naming.locations(account)]
    if naming.region(str(location or "")) not in regions:
        raise bad_request(
            "BadRequest", f"The account '{account.id.name}' is not in the location '{location}'.", "location"
        )
    # A journal keeps a write before it is acknowledged: nothing else lags behind.
    now = datetime.fromtimestamp(time.time() - behind, UTC)
    text = f"{now.month}/{now.day}/{now.year} {now:%I:%M:%S %p}"
    return {"continuousBackupInformation": {"latestRestorableTimestamp": text.replace(" 0", " ")}}
