"""What a stamp's data comes from: what the source has in the stamp's region, or backups that can be restored
there. Asked of Resource Manager before anything is declared; data that the stamp has already is not asked
about again, as its source may be gone by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pulumi

from infra.azure.resource_manager import Read
from infra.azure.sql import DATABASE, NOBODY, SERVES
from infra.naming import Names
from infra.settings import Settings
from infra.settings.restores import Service, written
from infra.stacks.restore_sources import plain_region
from infra.stacks.source import Source

_COSMOS, _IDENTITY, _SQL = "2024-08-15", "2023-01-31", "2023-08-01"


def problems_of(settings: Settings, source: Source, read: Read, now: datetime | None = None) -> Iterator[str]:
    """A line for what is missing, out of reach or contradicts what the stamp has, with its remedy."""
    yield from _sql(settings, source, read)
    yield from _cosmos(settings, source, read, now or datetime.now(UTC))


def restore_source(settings: Settings, source: Source, read: Read) -> tuple[str, str]:
    """Region and instance id of the account that the stamp's own is restored from, as long as that is not
    there; what it was restored from, afterwards. Empty where nothing says so, which is refused before.
    """
    own = read(_own_account(settings), _COSMOS)
    if own is not None:
        made_from = str((own["properties"].get("restoreParameters") or {}).get("restoreSource", ""))
        return source.settings.location, made_from.rpartition("/")[2]
    found = read(_account(source), _COSMOS) or {}
    return source.settings.location, str((found.get("properties") or {}).get("instanceId", ""))


def _sql(settings: Settings, source: Source, read: Read) -> Iterator[str]:
    names, group = source.names, _group(source.names)
    own = read(_own_database(settings), _SQL)
    failover = _failover_group(names, read)
    if settings.recovery.sql == "failover":
        if own is not None:
            yield _has_its_own(settings, "SQL database", "sql", "geo-restore")
            return
        where = f"failover group {names.failover_group} at server {names.sql_backup}"
        if failover is None:
            yield (
                f"  - there is no {where} that whoever deploys may read: {_while_whole(source)}; without "
                f"one, restore the newest geo-redundant backup: {set_command(settings, 'sql', 'geo-restore')}"
            )
        standby = names.identity("standby")
        path = f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/{standby}"
        if read(path, _IDENTITY) is None:
            yield f"  - there is no identity {standby} that whoever deploys may read: {_while_whole(source)}"
        return
    if own is not None:
        return
    if _properties(failover).get("replicationRole") == "Primary":
        yield (
            f"  - SQL has failed over to server {names.sql_backup}, where the newest rows are; a backup is "
            f"older: {set_command(settings, 'sql', 'failover')}"
        )
        return
    backup = f"{group}/Microsoft.Sql/servers/{names.sql}/recoverableDatabases/{source.database}"
    # The region that is asked may be the lost one. Azure restores from it all the same.
    if _answered(read, backup, _SQL, silent={"silent": True}) is None:
        yield (
            f"  - there is no geo-redundant backup of database {source.database} of server {names.sql} that "
            f"whoever deploys may read: {_while_whole(source)}, and give Azure time for the first one"
        )


def would_fail_over(settings: Settings, source: Source, read: Read) -> bool:
    """Whether the source's second server would be made the primary; False where nothing says what it is."""
    role = _properties(_failover_group(source.names, read)).get("replicationRole")
    return settings.recovery.sql == "failover" and role == "Secondary"


def returned(settings: Settings, source: Source, read: Read) -> Iterator[Service]:
    """The services whose own data was made ready for the source to fetch, by the phase `returned`."""
    if settings.recovery.sql == "geo-restore":
        own = read(_own_database(settings), _SQL) or {}
        if (own.get("tags") or {}).get(SERVES) == NOBODY:
            yield "sql"
    if settings.recovery.cosmos == "restore":
        locations = _properties(read(_own_account(settings), _COSMOS)).get("locations") or ()
        if source.settings.location in [plain_region(one["locationName"]) for one in locations]:
            yield "cosmos"


def _failover_group(names: Names, read: Read) -> dict[str, Any] | None:
    """As the second server has it."""
    server = f"{_group(names)}/Microsoft.Sql/servers/{names.sql_backup}"
    return read(f"{server}/failoverGroups/{names.failover_group}", _SQL)


def _cosmos(settings: Settings, source: Source, read: Read, now: datetime) -> Iterator[str]:
    own = read(_own_account(settings), _COSMOS)
    if settings.recovery.cosmos == "failover":
        if own is not None:
            yield _has_its_own(settings, "Cosmos DB account", "cosmos", "restore")
            return
        account = source.account.plain_name
        found = read(_account(source), _COSMOS)
        regions = [plain_region(one["locationName"]) for one in _properties(found).get("locations") or ()]
        if settings.location not in regions:
            there = (
                f"account {account} is in {', '.join(regions)}"
                if regions
                else f"there is no account {account}"
            )
            yield f"  - {there}, not in {settings.location}: {_while_whole(source)}. {NO_WAY}"
    elif own is None:
        yield from _not_restorable(settings, source, read, now)
    else:
        yield from _restored_otherwise(settings, own)


#: Why an account of one region cannot be had elsewhere; docs/recovery.md has the sources.
NO_WAY = (
    "Azure restores an account only into a region in which it was at that moment; one that had no other than "
    "the lost region comes back with that region, and nothing here can restore it"
)


def _not_restorable(settings: Settings, source: Source, read: Read, now: datetime) -> Iterator[str]:
    as_of, account, home = settings.recovery.as_of, source.account.plain_name, source.settings.location
    if as_of is None:  # the settings do not let that be
        return
    if as_of > now:
        yield f"  - agents:recovery.as_of is {written(as_of)}, and it is {written(now)} now"
        return
    found = read(_account(source), _COSMOS)
    if found is None:
        yield f"  - there is no account {account} that whoever deploys may read"
        return
    located = f"providers/Microsoft.DocumentDB/locations/{home}/restorableDatabaseAccounts"
    listed = _answered(read, located, _COSMOS, silent=None)
    if listed is None:
        yield (
            f"  - Cosmos DB restores account {account} by way of {home}, which it belongs to, and there it "
            "does not answer, or not to whoever deploys: "
            f"{set_command(settings, 'cosmos', 'failover')}, or wait for it"
        )
        return
    instance = str(_properties(found).get("instanceId", "")).lower()
    stays = [
        stay
        for one in listed.get("value") or ()
        if str(one["name"]).lower() == instance
        for stay in _stays(one["properties"], settings.location, now)
    ]
    if any(first <= as_of <= last for first, last in stays):
        return
    can = "; ".join(f"{written(first)} up to {written(last)}" for first, last in stays)
    yield (
        f"  - account {account} cannot be restored in {settings.location} as of {written(as_of)}: "
        + (f"it can as of {can}" if can else f"it was never backed up there. {NO_WAY}")
    )


def _restored_otherwise(settings: Settings, own: dict[str, Any]) -> Iterator[str]:
    """A restore is made once: another moment in the settings would go unheard."""
    as_of, made = settings.recovery.as_of, _properties(own).get("restoreParameters") or {}
    there = made.get("restoreTimestampInUtc")
    if as_of is None or not there or _time(there) == as_of:
        return
    stack = settings.environment
    yield (
        f"  - {stack} has documents as of {written(_time(there))}, and agents:recovery.as_of is "
        f"{written(as_of)}: they are restored once. To keep them, with what agents wrote to them: "
        f"{set_command(settings, 'as_of', written(_time(there)))}. To give them up: pulumi destroy --stack "
        f"{stack} with agents:protect false, then pulumi up"
    )


def _stays(known: dict[str, Any], region: str, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From when to when backups of an account lie in a region."""
    for stay in known.get("restorableLocations") or ():
        if plain_region(stay["locationName"]) == region and known.get("oldestRestorableTime"):
            first = max(_time(stay["creationTime"]), _time(known["oldestRestorableTime"]))
            yield first, _time(stay["deletionTime"]) if stay.get("deletionTime") else now


def _answered(read: Read, path: str, version: str, *, silent: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is there; `silent` where nobody answers for it."""
    try:
        return read(path, version)
    except pulumi.RunError as error:
        pulumi.log.info(f"could not be looked up, as its region is lost: {error}")
        return silent


def _has_its_own(settings: Settings, kind: str, setting: str, mode: str) -> str:
    return (
        f"  - {settings.environment} has a {kind} of its own, which agents would leave with all that they "
        f"wrote: {set_command(settings, setting, mode)}"
    )


def _while_whole(source: Source) -> str:
    return f"update {source.settings.environment} with agents:paired_location while it is whole"


def set_command(settings: Settings, setting: str, value: str) -> str:
    """What somebody types to set one of `agents:recovery`."""
    return f"pulumi config set --stack {settings.environment} --path agents:recovery.{setting} {value}"


def _group(names: Names) -> str:
    return f"resourceGroups/{names.resource_group}/providers"


def _account(source: Source) -> str:
    return f"{_group(source.names)}/Microsoft.DocumentDB/databaseAccounts/{source.account.plain_name}"


def _own_account(settings: Settings) -> str:
    names = Names(settings.environment, settings.suffix)
    return f"{_group(names)}/Microsoft.DocumentDB/databaseAccounts/{names.cosmos}"


def _own_database(settings: Settings) -> str:
    names = Names(settings.environment, settings.suffix)
    return f"{_group(names)}/Microsoft.Sql/servers/{names.sql}/databases/{DATABASE}"


def _properties(found: dict[str, Any] | None) -> dict[str, Any]:
    return (found or {}).get("properties") or {}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
