"""What the environment's data begins with, decided before anything is declared: nothing, or something that is
gone. What cannot be restored is refused, and what was lost is not begun anew without being told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pulumi_azure_native import authorization

from infra.azure import resource_manager, sql_database
from infra.cloud import Cloud
from infra.naming import Names
from infra.settings import Settings, SettingsError
from infra.stacks import deletions, recorded, restore_points
from infra.stacks.restore_sources import Kind, Source, Sources


@dataclass(frozen=True)
class Origins:
    """By a restore's moment, what it is made from where that is not there any more, or another stack's: the
    id of a restorable account, and the origin of a database.
    """

    accounts: Mapping[datetime, str] = field(default_factory=dict)
    databases: Mapping[datetime, sql_database.Origin] = field(default_factory=dict)


def decide(settings: Settings, names: Names, cloud: Cloud) -> Origins:
    """Raises SettingsError for a restore that cannot be done, and for data that is gone and not spoken of."""
    held, restores = recorded.read(), settings.restores
    if not held and not restores:
        return Origins()
    sources = Sources(names, settings.location, _reader(cloud))
    now = datetime.now(UTC)
    refused = [
        (
            "agents:restores cannot be done:",
            [
                *restore_points.problems_of(restores, sources, now),
                *restore_points.altered(restores, held, sources),
            ],
        ),
        (
            "data of this environment was deleted, and something empty would take its place:",
            deletions.problems_of(held, restores, settings.begin_empty, sources, now),
        ),
    ]
    problems = [line for title, found in refused if found for line in (title, *found)]
    if problems:
        raise SettingsError("\n".join(problems))
    return origins(restore_points.lost_sources(restores, sources, now))


def origins(found: Mapping[Any, Source]) -> Origins:
    """From the sources by service and moment."""
    return Origins(
        {as_of: source.id for (service, as_of), source in found.items() if service == "cosmos"},
        {as_of: _database(source, as_of) for (service, as_of), source in found.items() if service == "sql"},
    )


def _database(source: Source, as_of: datetime) -> sql_database.Origin:
    match source.kind:
        case Kind.BACKUP:
            return sql_database.long_term_backup(source.id)
        case Kind.STAMP:
            return sql_database.copy_of(source.id)
        case _:
            return sql_database.dropped(source.id, as_of)


def _reader(cloud: Cloud) -> Any:
    """Asks once per path: the same things are looked at from several sides."""
    subscription = authorization.get_client_config().subscription_id
    bearer = authorization.get_client_token().token
    answers: dict[str, dict[str, Any] | None] = {}

    def read(path: str, version: str) -> dict[str, Any] | None:
        url = f"{cloud.resource_manager}/subscriptions/{subscription}/{path}?api-version={version}"
        if url not in answers:
            answers[url] = resource_manager.read(url, bearer)
        return answers[url]

    return read
