"""Whether what is to be restored can be: asked before anything is declared, so that nothing is half done.

A restore that was made is not asked about again: its point leaves the window, the copy stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pulumi_azure_native import authorization

from infra.azure import resource_manager, sql
from infra.cloud import Cloud
from infra.naming import Names, restored_database
from infra.settings import Settings, SettingsError
from infra.settings.restores import Restore, Service, written

_COSMOS, _SQL = "2024-08-15", "2023-08-01"
#: A path below the subscription and the version of its API -> what is there, or None.
Read = Callable[[str, str], dict[str, Any] | None]


@dataclass(frozen=True)
class Window:
    """From when to when a source can be looked at; `title` is what a person calls it."""

    title: str
    first: datetime
    last: datetime


def check(settings: Settings, names: Names, cloud: Cloud) -> None:
    """Raises SettingsError for a restore point outside its window, in the future, or of nothing at all."""
    if not settings.restores:
        return
    where = authorization.get_client_config().subscription_id
    bearer = authorization.get_client_token().token

    def read(path: str, version: str) -> dict[str, Any] | None:
        url = f"{cloud.resource_manager}/subscriptions/{where}/{path}?api-version={version}"
        return resource_manager.read(url, bearer)

    problems = problems_of(settings.restores, Sources(names, read), datetime.now(UTC))
    if problems:
        raise SettingsError("\n".join(["agents:restores cannot be done:", *problems]))


class Sources:
    """What there is to restore from, and what was restored already."""

    def __init__(self, names: Names, read: Read) -> None:
        self._names, self._read = names, read

    def done(self, service: Service, as_of: datetime) -> bool:
        """Whether the copy is there."""
        return self._find(service, as_of) is not None

    def window(self, service: Service, of: datetime | None, now: datetime) -> Window | None:
        """None for a source that is not there, or has no history."""
        found = self._find(service, of)
        if found is None:
            return None
        title, properties = self._title(service, of), found["properties"]
        if service == "sql":
            first = properties.get("earliestRestoreDate")
        else:
            place = "".join(found["location"].lower().split())
            path = (
                f"providers/Microsoft.DocumentDB/locations/{place}/restorableDatabaseAccounts/"
                f"{properties['instanceId']}"
            )
            restorable = self._read(path, _COSMOS) or {"properties": {}}
            first = restorable["properties"].get("oldestRestorableTime")
        return Window(title, _time(first), now) if first else None

    def missing(self, service: Service, of: datetime | None) -> str:
        return f"there is no {self._title(service, of)} with a history that whoever deploys may read"

    def _title(self, service: Service, as_of: datetime | None) -> str:
        return ("database " if service == "sql" else "account ") + self._name(service, as_of)

    def _name(self, service: Service, as_of: datetime | None) -> str:
        if service == "sql":
            return restored_database(sql.DATABASE, as_of) if as_of else sql.DATABASE
        return self._names.restored_cosmos(as_of) if as_of else self._names.cosmos

    def _find(self, service: Service, as_of: datetime | None) -> dict[str, Any] | None:
        group, name = f"resourceGroups/{self._names.resource_group}/providers", self._name(service, as_of)
        if service == "sql":
            return self._read(f"{group}/Microsoft.Sql/servers/{self._names.sql}/databases/{name}", _SQL)
        return self._read(f"{group}/Microsoft.DocumentDB/databaseAccounts/{name}", _COSMOS)


def problems_of(restores: tuple[Restore, ...], sources: Sources, now: datetime) -> list[str]:
    """A line for each restore that cannot be done, with what can."""
    found = []
    for restore in restores:
        for service in restore.services:
            if restore.as_of > now:
                found.append(f"  - {service} as of {written(restore.as_of)}: it is {written(now)} now")
            elif not sources.done(service, restore.as_of) and (
                why := _why_not(service, restore, sources, now)
            ):
                found.append(f"  - {service} as of {written(restore.as_of)}: {why}")
    return found


def _why_not(service: Service, restore: Restore, sources: Sources, now: datetime) -> str:
    if restore.of is not None and not sources.done(service, restore.of):
        return f"its source, as of {written(restore.of)}, is not restored yet; run pulumi up for that first"
    window = sources.window(service, restore.of, now)
    if window is None:
        return sources.missing(service, restore.of)
    if window.first <= restore.as_of <= window.last:
        return ""
    return f"{window.title} can be restored to {written(window.first)} up to {written(window.last)}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
