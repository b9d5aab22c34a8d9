"""Restores that cannot be done are refused before anything is declared, with what can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.naming import Names
from infra.settings import SettingsError, parse
from infra.settings.restores import Restore, Service
from infra.stacks.restore_points import Sources, problems_of

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
OLDEST = NOW - timedelta(days=7)
SQL = "resourceGroups/rg-agents-dev/providers/Microsoft.Sql/servers/sql-agents-dev/databases/AgentsDB"
COSMOS = "resourceGroups/rg-agents-dev/providers/Microsoft.DocumentDB/databaseAccounts/cosmos-agents-dev"
HISTORY = "providers/Microsoft.DocumentDB/locations/westeurope/restorableDatabaseAccounts/instance"
THERE: dict[str, dict[str, Any]] = {
    SQL: {"properties": {"earliestRestoreDate": "2026-11-21T12:00:00Z"}},
    COSMOS: {"location": "West Europe", "properties": {"instanceId": "instance"}},
    HISTORY: {"properties": {"oldestRestorableTime": "2026-11-21T12:00:00+00:00"}},
}


def _problems(*restores: Restore, there: dict[str, dict[str, Any]] = THERE) -> list[str]:
    sources = Sources(Names("dev"), lambda path, _version: there.get(path))
    return problems_of(restores, sources, NOW)


@pytest.mark.parametrize("service", ["sql", "cosmos"])
@pytest.mark.parametrize("as_of", [OLDEST, NOW - timedelta(hours=1), NOW])
def test_a_point_inside_the_window_can_be_restored(service: Service, as_of: datetime) -> None:
    assert _problems(Restore(as_of=as_of, services=(service,))) == []


@pytest.mark.parametrize("service", ["sql", "cosmos"])
def test_a_point_before_the_window_is_refused_with_the_window(service: Service) -> None:
    (problem,) = _problems(Restore(as_of=OLDEST - timedelta(seconds=1), services=(service,)))
    assert "can be restored to 2026-11-21T12:00:00Z up to 2026-11-28T12:00:00Z" in problem


def test_the_future_is_refused_for_each_service() -> None:
    problems = _problems(Restore(as_of=NOW + timedelta(seconds=1)))
    assert [problem.split(":")[-1] for problem in problems] == ["00Z now"] * 2


@pytest.mark.parametrize(("service", "gone"), [("sql", SQL), ("cosmos", COSMOS), ("cosmos", HISTORY)])
def test_a_source_that_is_not_there_is_named(service: Service, gone: str) -> None:
    there = {path: found for path, found in THERE.items() if path != gone}
    (problem,) = _problems(Restore(as_of=NOW, services=(service,)), there=there)
    assert ("AgentsDB" if service == "sql" else "cosmos-agents-dev") in problem


def test_what_was_restored_is_not_asked_about_again() -> None:
    old = OLDEST - timedelta(days=30)
    stamp = f"{old:%Y%m%d%H%M%S}"
    there = {**THERE, f"{SQL}-{stamp}": {}, f"{COSMOS}-{stamp}": {}}
    assert _problems(Restore(as_of=old), there=there) == []


def test_a_restore_of_what_is_not_restored_yet_has_to_wait() -> None:
    first = Restore(as_of=NOW - timedelta(hours=2), services=("sql",))
    second = Restore(as_of=NOW - timedelta(hours=1), services=("sql",), of=first.as_of)
    (problem,) = _problems(first, second)
    assert "run pulumi up for that first" in problem


@pytest.mark.parametrize(
    ("restores", "said"),
    [
        ([{"as_of": "2026-11-28T09:59:30+01:00"}], "name a second in UTC"),
        ([{"as_of": "2026-11-28T09:59:30.5Z"}], "name a second in UTC"),
        ([{"as_of": "yesterday"}], "agents:restores.0.as_of is 'yesterday'"),
        ([{"as_of": "2026-11-28T09:59:30Z", "kept": False}], "Set adopted to false first"),
        ([{"as_of": "2026-11-28T09:59:30Z"}] * 2, "two restores of sql"),
        ([{"as_of": "2026-11-28T09:59:30Z", "of": "2026-11-28T08:00:00Z"}], "no earlier restore of sql"),
        ([{"as_of": "2026-11-28T09:59:30Z", "services": []}], "agents:restores.0.services"),
        ([{"as_of": "2026-11-28T09:59:30Z", "service": ["sql"]}], "is not a setting"),
    ],
)
def test_settings_that_make_no_sense_are_refused(restores: list[dict[str, Any]], said: str) -> None:
    values = {"location": "westeurope", "version": "1.0.0", "agents": {"devops": {}}, "restores": restores}
    with pytest.raises(SettingsError, match=said):
        parse(values, "dev")
