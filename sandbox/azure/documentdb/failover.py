"""Where an account may be written, and how that moves when a region is lost.

A single-write account is written in its region of priority 0. With `enableAutomaticFailover` Azure moves
that to the next region by priority when the region is lost (here at once, there within an hour); without it,
writes fail until somebody takes the region offline, for a change of priorities needs both regions. A region
that comes back is a read region: nothing fails back by itself. All regions share one store here, so a
failover loses nothing, unlike on Azure below strong consistency.

Sources: https://learn.microsoft.com/azure/reliability/reliability-cosmos-db-nosql and
https://learn.microsoft.com/azure/cosmos-db/how-to-manage-database-account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.resource import Resource
from sandbox.azure.documentdb import account_body, naming
from sandbox.azure.documentdb.errors import CosmosError
from sandbox.names import Names
from sandbox.services import Regions

Places = Sequence[Mapping[str, Any]]


def homes(account: Resource) -> frozenset[str]:
    """Every region of the account: any of them answers for it in Resource Manager."""
    return frozenset(naming.region(place) for place in naming.locations(account))


def writable(account: Resource) -> frozenset[str]:
    if account.properties.get("enableMultipleWriteLocations"):
        return homes(account)
    return frozenset({naming.region(naming.locations(account)[0])})


def require_writable(account: Resource, region: str | None) -> None:
    """Raise CosmosError 403 with substatus 3 at a region that is only read: clients then ask the account
    where writes go. The account's own name leads where it is written."""
    if region is not None and naming.region(region) not in writable(account):
        raise CosmosError(403, "Forbidden", "The requested operation cannot be performed at this region.", 3)


def require_write_region(sent: Places, regions: Regions) -> None:
    """Raise ArmError 503 when the region of priority 0 is down: an account is changed in the region where it
    is written, so its definition cannot be set to a region that is lost."""
    first = next((place for place in sent if not place.get("failoverPriority")), None)
    if first is not None and regions.is_down(str(first.get("locationName"))):
        raise _away(str(first["locationName"]))


def require_both(account: Resource, sent: Places, regions: Regions) -> None:
    """Raise ArmError 503 when a change of priorities moves writes from or to a region that is down."""
    before = naming.locations(account)[0]
    after = next(str(place["locationName"]) for place in sent if not place.get("failoverPriority"))
    if naming.region(before) == naming.region(after):
        return
    for region in (before, after):
        if regions.is_down(region):
            raise _away(region)


def automatic(names: Names, account: Resource, region: str, regions: Regions) -> bool:
    """Move writes away from a lost region as the account's settings have it; whether they moved."""
    if not account.properties.get("enableAutomaticFailover") or region not in writable(account):
        return False
    return _demote(names, account, regions)


def offline(names: Names, account: Resource, region: object, regions: Regions) -> None:
    """Move writes away from a lost region because somebody says so. Raises ArmError."""
    name = naming.region(str(region or ""))
    if name not in homes(account):
        raise bad_request("BadRequest", f"The account has no region '{region or ''}'.", "region")
    if not regions.is_down(name):
        raise bad_request(
            "BadRequest",
            f"The region '{name}' is online: change the failover priorities to move writes away from it.",
            "region",
        )
    if name in writable(account) and not _demote(names, account, regions):
        raise _away(name)


def _demote(names: Names, account: Resource, regions: Regions) -> bool:
    """Regions that are up before those that are down, each in the order of priority."""
    if account.properties.get("enableMultipleWriteLocations"):
        return False
    places = account.properties["locations"]
    up = [place for place in places if not regions.is_down(place["locationName"])]
    if not up or up[0] is places[0]:
        return False
    ordered = [*up, *(place for place in places if place not in up)]
    moved = [{**place, "failoverPriority": number} for number, place in enumerate(ordered)]
    account.properties.update(account_body.places(names, account.id.name, moved))
    return True


def _away(region: str) -> ArmError:
    return ArmError(
        503,
        "ServiceUnavailable",
        f"The region '{region}' is experiencing an outage. Take it offline (offlineRegion) to move writes to "
        "another region.",
    )
