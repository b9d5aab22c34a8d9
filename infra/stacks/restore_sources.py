"""What data can be restored from: what is there, what was deleted, and long-term backups.

Asked of Resource Manager as whoever deploys. What may not be read is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from infra.azure import sql
from infra.azure.sql import NOBODY, SERVES
from infra.naming import Names, restored_database
from infra.settings.restores import Restore, Service, written

_COSMOS, _SQL = "2024-08-15", "2023-08-01"
#: A path below the subscription and the version of its API -> what is there, or None.
Read = Callable[[str, str], dict[str, Any] | None]


class Kind(Enum):
    """What a source is, in words: Azure restores from each in another way."""

    THERE = "there"
    STAMP = "another stack's"
    DELETED = "deleted"
    BACKUP = "long-term backup"


@dataclass(frozen=True)
class Source:
    """`id`: how a restore names it. `identity`: an account's instance id; databases show none when deleted.

    `first` and `last`: from when to when it can be looked at; a long-term backup is of one second only.
    """

    kind: Kind
    title: str
    id: str
    first: datetime
    last: datetime
    identity: str = ""

    def holds(self, moment: datetime) -> bool:
        return self.first <= moment <= self.last

    @property
    def window(self) -> str:
        """What a person is told: what can be had from it."""
        if self.kind is Kind.BACKUP:
            return f"the long-term backup of {self.title} is of {written(self.first)}"
        gone = ", when it was deleted" if self.kind is Kind.DELETED else ""
        last = newest(self) if self.kind is Kind.DELETED else self.last
        return f"{self.title} can be restored to {written(_up(self.first))} up to {written(last)}{gone}"


def newest(source: Source) -> datetime:
    """The last second that can be asked for. Of what was deleted, the last one before its deletion."""
    if source.kind is Kind.DELETED:
        return (source.last - timedelta(microseconds=1)).replace(microsecond=0)
    return source.last.replace(microsecond=0)


class Sources:
    """What there is to restore from, and what was restored already, in the environment `names`."""

    def __init__(self, names: Names, location: str, read: Read) -> None:
        self._names, self._location, self._read = names, location, read

    def done(self, service: Service, as_of: datetime) -> bool:
        """Whether the copy is there."""
        return self.find(service, self.name(service, as_of)) is not None

    def name(self, service: Service, as_of: datetime | None) -> str:
        """Of the copy as of then; None for the original."""
        if service == "sql":
            return restored_database(sql.DATABASE, as_of) if as_of else sql.DATABASE
        return self._names.restored_cosmos(as_of) if as_of else self._names.cosmos

    def find(self, service: Service, name: str) -> dict[str, Any] | None:
        """The account or database of that name as Resource Manager has it now."""
        if service == "sql":
            return self._read(f"{self._server}/databases/{name}", _SQL)
        return self._read(f"{self._group}/Microsoft.DocumentDB/databaseAccounts/{name}", _COSMOS)

    def server(self) -> dict[str, Any] | None:
        """The SQL server: without it there are neither databases nor point-in-time backups of them."""
        return self._read(self._server, _SQL)

    @property
    def _server(self) -> str:
        return f"{self._group}/Microsoft.Sql/servers/{self._names.sql}"

    @property
    def _group(self) -> str:
        return f"resourceGroups/{self._names.resource_group}/providers"

    def of(self, service: Service, name: str, now: datetime) -> list[Source]:
        """Everything that has a history of `name`: first what is there, then what was deleted last."""
        there = self.find(service, name)
        found = self._databases(name, there, now) if service == "sql" else self._accounts(name, there, now)
        order = list(Kind)
        return sorted(found, key=lambda one: (order.index(one.kind), -one.last.timestamp()))

    def candidates(self, service: Service, restore: Restore, now: datetime) -> list[Source]:
        """What a restore can be made from."""
        if restore.stamp is None:
            return self.of(service, self.name(service, restore.of), now)
        names = Names(restore.stamp, self._names.suffix)
        if service == "sql":
            return list(self._stamps_database(names, restore.stamp, now))
        return list(self._stamps_accounts(names.cosmos, now))

    def _stamps_database(self, names: Names, stamp: str, now: datetime) -> Iterator[Source]:
        """Copied as it is, so only when nobody writes it any more, and as of any moment since it was made."""
        group = f"resourceGroups/{names.resource_group}/providers"
        found = self._read(f"{group}/Microsoft.Sql/servers/{names.sql}/databases/{sql.DATABASE}", _SQL)
        if found is not None and (found.get("tags") or {}).get(SERVES) == NOBODY:
            title = f"database {sql.DATABASE} of {stamp}"
            made = _time(found["properties"]["creationDate"])
            yield Source(Kind.STAMP, title, str(found["id"]), made, now)

    def _stamps_accounts(self, name: str, now: datetime) -> Iterator[Source]:
        """From when on it is in this environment's region: there, a backup of it lies."""
        for one in self._restorables(name):
            stays = [
                stay
                for stay in one["properties"].get("restorableLocations") or ()
                if plain_region(stay["locationName"]) == self._location
            ]
            for stay in stays:
                first = max(_time(stay["creationTime"]), _time(one["properties"]["oldestRestorableTime"]))
                end = stay.get("deletionTime") or one["properties"].get("deletionTime")
                last = _time(end) if end else now
                instance = str(one["name"]).lower()
                yield Source(Kind.STAMP, f"account {name}", str(one["id"]), first, last, instance)

    def _databases(self, name: str, there: dict[str, Any] | None, now: datetime) -> Iterator[Source]:
        title = f"database {name}"
        first = there["properties"].get("earliestRestoreDate") if there else None
        if there and first:
            yield Source(Kind.THERE, title, str(there["id"]), _time(first), now)
        for one in self._list(f"{self._server}/restorableDroppedDatabases", _SQL):
            known = one["properties"]
            if known["databaseName"].lower() == name.lower() and known.get("earliestRestoreDate"):
                begin, end = _time(known["earliestRestoreDate"]), _time(known["deletionDate"])
                yield Source(Kind.DELETED, title, str(one["id"]), begin, end)
        kept = (
            f"providers/Microsoft.Sql/locations/{self._location}/longTermRetentionServers/{self._names.sql}"
            f"/longTermRetentionDatabases/{name}/longTermRetentionBackups"
        )
        for one in self._list(kept, _SQL):
            taken = _time(one["properties"]["backupTime"]).replace(microsecond=0)
            yield Source(Kind.BACKUP, title, str(one["id"]), taken, taken)

    def _accounts(self, name: str, there: dict[str, Any] | None, now: datetime) -> Iterator[Source]:
        alive = str(there["properties"].get("instanceId", "")).lower() if there else None
        for one in self._restorables(name):
            known, instance = one["properties"], str(one["name"]).lower()
            first, deleted = _time(known["oldestRestorableTime"]), known.get("deletionTime")
            title = f"account {name}"
            if deleted:
                yield Source(Kind.DELETED, title, str(one["id"]), first, _time(deleted), instance)
            elif instance == alive:
                yield Source(Kind.THERE, title, str(one["id"]), first, now, instance)

    def _restorables(self, name: str) -> list[dict[str, Any]]:
        """Accounts of that name that belong to this region's Resource Manager, alive or deleted."""
        located = f"providers/Microsoft.DocumentDB/locations/{self._location}/restorableDatabaseAccounts"
        return [
            one
            for one in self._list(located, _COSMOS)
            if one["properties"]["accountName"].lower() == name.lower()
            and one["properties"].get("oldestRestorableTime")
        ]

    def _list(self, path: str, version: str) -> list[dict[str, Any]]:
        return list((self._read(path, version) or {}).get("value") or ())


def plain_region(name: str) -> str:
    """`West Europe`, as people and Azure's answers have it, as settings do."""
    return "".join(name.lower().split())


def _up(moment: datetime) -> datetime:
    """The first whole second that is not before it."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
