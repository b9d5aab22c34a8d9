"""Where an account may be written, and how that moves when a region is lost.

A single-write account is written in its region of priority 0. With `enableAutomaticFailover` Azure moves
that to the next region by priority when the region is lost (here at once, there within an hour); without it,
writes fail until somebody takes the region offline, for a change of priorities needs both regions. A region
that comes back is a read region: nothing fails back by itself, and back by plan nothing is lost. All regions
share one store here: the next one has what the lost one wrote, but for what `unreplicated` takes away, and
until then it is read there, too.

The order of the regions is the failovers' alone: a PUT adds regions and takes away such as are only read, by
itself, and leaves the others' order as it is.

Sources: https://learn.microsoft.com/azure/reliability/reliability-cosmos-db-nosql,
https://learn.microsoft.com/azure/cosmos-db/how-to-manage-database-account and, for what a PUT can do,
https://learn.microsoft.com/azure/cosmos-db/nosql/manage-with-cli#add-or-remove-regions.
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


def require_present(account: Resource, regions: Regions) -> None:
    """Raise CosmosError 503 for a write that came before its region was lost and was not done by then."""
    if all(regions.is_down(region) for region in writable(account)):
        raise CosmosError(503, "ServiceUnavailable", "The region of the request is not available.")


def check_new(sent: Places, regions: Regions) -> None:
    """Raise ArmError 503 for an account that is to be made in a region that is down."""
    _require_up([str(place["locationName"]) for place in sent], regions)


def check_change(before: Resource, sent: Places, others: bool, regions: Regions) -> None:
    """Raise ArmError for regions that a PUT cannot make of the account's; `others` is whether it changes
    other properties, too."""
    known = [naming.region(place) for place in naming.locations(before)]
    ordered = sorted(sent, key=lambda place: int(place.get("failoverPriority", 0)))
    wanted = [naming.region(str(place["locationName"])) for place in ordered]
    # It is where it is written that an account is changed.
    _require_up([known[0], *(region for region in wanted if region not in known)], regions)
    if known[0] not in wanted:
        raise bad_request(
            "BadRequest",
            f"The write region '{known[0]}' cannot be removed: fail over to another one first.",
            "properties.locations",
        )
    if [region for region in known if region in wanted] != wanted[: len(set(known) & set(wanted))]:
        raise bad_request(
            "BadRequest",
            "An update cannot change the failover priorities of regions that the account has: it is in "
            f"{', '.join(known)}, in this order. Use failoverPriorityChange.",
            "properties.locations",
        )
    if others and set(known) != set(wanted):
        raise bad_request(
            "BadRequest",
            "Regions cannot be added or removed together with a change of other properties: send one after "
            "the other.",
            "properties.locations",
        )


def _require_up(names: Sequence[str], regions: Regions) -> None:
    for name in names:
        if regions.is_down(name):
            raise _away(name)


def require_both(account: Resource, sent: Places, regions: Regions) -> None:
    """Raise ArmError 503 when a change of priorities moves writes from or to a region that is down."""
    before = naming.locations(account)[0]
    after = next(str(place["locationName"]) for place in sent if not place.get("failoverPriority"))
    if naming.region(before) == naming.region(after):
        return
    _require_up((before, after), regions)


def automatic(names: Names, account: Resource, region: str, regions: Regions) -> bool:
    """Move writes away from a lost region as the account's settings have it; whether they moved."""
    if not account.properties.get("enableAutomaticFailover") or region not in writable(account):
        return False
    return _demote(names, account, regions)


def offline(names: Names, account: Resource, region: object, regions: Regions) -> bool:
    """Move writes away from a lost region because somebody says so; whether they moved. Raises ArmError."""
    name = naming.region(str(region or ""))
    if name not in homes(account):
        raise bad_request("BadRequest", f"The account has no region '{region or ''}'.", "region")
    if not regions.is_down(name):
        raise bad_request(
            "BadRequest",
            f"The region '{name}' is online: change the failover priorities to move writes away from it.",
            "region",
        )
    if name not in writable(account):
        return False
    if not _demote(names, account, regions):
        raise _away(name)
    return True


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
