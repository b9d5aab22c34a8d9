"""What a restore is refused for, before anything is made.

https://learn.microsoft.com/azure/cosmos-db/restore-account-continuous-backup
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Put
from sandbox.arm.regions import normalise
from sandbox.arm.store import timestamp
from sandbox.azure.documentdb import naming
from sandbox.azure.documentdb.account_body import continuous
from sandbox.azure.documentdb.restorable import Restorable, find
from sandbox.azure.documentdb.restore_request import RestoreRequest, refusal
from sandbox.azure.documentdb.snapshot import DatabaseAt, as_of
from sandbox.services import Services


async def check(services: Services, put: Put) -> None:
    """Raise ArmError unless this is no restore, or one that can be done.

    An account that was restored takes the same parameters again, or none, and they change nothing.
    """
    properties = put.body.get("properties") or {}
    if put.previous is not None:
        _check_again(put.previous.properties, properties, put.id.name)
        return
    request = RestoreRequest.of(properties)
    if request is None:
        return
    services.rbac.require(
        put.principal,
        f"{naming.RESTORABLE}/restore/action",
        str(properties["restoreParameters"]["restoreSource"]),
    )
    source = await source_of(services, request)
    if (put.id.subscription or "").lower() != request.subscription:
        raise refusal("An account is restored into its own subscription.", "restoreSource")
    if normalise(str(put.body.get("location"))) != request.region:
        raise bad_request(
            "BadRequest",
            f"The location '{put.body.get('location')}' is not that of the restore source, "
            f"'{request.region}'. Where to restore to is said by properties.locations.",
            "location",
        )
    check_moment(source, request.at)
    _check_region(source, request.at, properties["locations"][0]["locationName"])
    wanted(as_of(source.events, request.at), request.databases)


async def inherited(services: Services, properties: Mapping[str, Any]) -> dict[str, Any]:
    """What a restored account has of its source where the request is silent: its kind of capacity, and how
    far back its own backup reaches. Nothing when it is no restore."""
    request = RestoreRequest.of(properties)
    if request is None:
        return {}
    before = (await source_of(services, request)).account.properties
    return {name: before[name] for name in ("capabilities", "backupPolicy") if name in before}


def _check_again(before: Mapping[str, Any], sent: Mapping[str, Any], name: str) -> None:
    if sent.get("createMode", "Default") != "Restore" and not sent.get("restoreParameters"):
        return
    if before.get("createMode") != "Restore":
        raise conflict(
            "DatabaseAccountAlreadyExists",
            f"The account name '{name}' is already in use: a restore makes a new account.",
        )
    if sent.get("restoreParameters") and _source(sent) != _source(before):
        raise refusal(
            f"The account '{name}' has been restored already; its restore parameters cannot be changed. "
            "Restore into another account."
        )


def _source(properties: Mapping[str, Any]) -> RestoreRequest | None:
    """Where it was restored from; how many regions it has got since is another matter."""
    asked = {"createMode": "Restore", "restoreParameters": properties["restoreParameters"]}
    return RestoreRequest.of(asked)


async def source_of(services: Services, request: RestoreRequest) -> Restorable:
    """The account to restore. Raises ArmError 400 when it cannot be restored."""
    source = await asyncio.to_thread(find, services, request.subscription, request.instance)
    if source is None:
        raise refusal(_why_not(services, request), "restoreSource")
    if source.region != request.region:
        raise refusal(
            f"Cannot find regional database account associated with global instance id {request.instance} "
            f"in '{request.region}'; its region is '{source.region}'.",
            "restoreSource",
        )
    return source


def _why_not(services: Services, request: RestoreRequest) -> str:
    for account in services.store.list(type=naming.ACCOUNT):
        if account.properties.get("instanceId") == request.instance and not continuous(account.properties):
            return (
                f"The account '{account.id.name}' has periodic backup: only accounts with continuous backup "
                "can be restored to a point in time."
            )
    return f"There is no restorable database account with the instance id {request.instance}."


def check_moment(source: Restorable, at: int) -> None:
    """Raise ArmError 400 for a moment outside the window, which the message tells."""
    latest = source.latest
    if source.oldest <= at <= latest:
        return
    late = at > latest and source.deleted is None
    ahead = "is not backed up yet" if source.behind else "lies in the future"
    why = ahead if late else "is outside the window"
    raise refusal(
        f"The restore timestamp {_text(at)} {why}: the account '{source.account.id.name}' can be restored "
        f"from {_text(source.oldest)} to {_text(latest)}.",
        "restoreTimestampInUtc",
    )


def _check_region(source: Restorable, at: int, region: str) -> None:
    if source.present(region, at):
        return
    regions = sorted({stay.region for stay in source.presences if stay.covers(at)})
    raise bad_request(
        "BadRequest",
        f"The account '{source.account.id.name}' cannot be restored in '{region}' to {_text(at)}: it was in "
        f"{', '.join(regions)} then.",
        "properties.locations",
    )


def wanted(
    there: Sequence[DatabaseAt], names: Mapping[str, frozenset[str]] | None
) -> list[tuple[DatabaseAt, frozenset[str]]]:
    """The databases to restore, each with the names of its containers. Raises ArmError 400 for unknown
    ones."""
    if names is None:
        return [(one, frozenset(inside.name for inside in one.containers)) for one in there]
    known = {one.name: one for one in there}
    chosen = []
    for name, inner in names.items():
        database = known.get(name)
        if database is None:
            raise _unknown(f"database '{name}'")
        existing = frozenset(inside.name for inside in database.containers)
        for missing in sorted(inner - existing):
            raise _unknown(f"container '{missing}' in the database '{name}'")
        chosen.append((database, inner or existing))
    return chosen


def _unknown(what: str) -> ArmError:
    return refusal(f"There was no {what} at the restore timestamp.", "databasesToRestore")


def _text(at: int) -> str:
    return timestamp(at / 1e6)
