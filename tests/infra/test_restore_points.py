"""Restores that cannot be done are refused before anything is declared, with what can be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.settings import SettingsError, parse
from infra.settings.restores import Restore, Service
from infra.stacks.recorded import Recorded
from infra.stacks.restore_points import altered, lost_sources, problems_of
from infra.stacks.restore_sources import Kind
from tests.infra.estate import COSMOS, DELETED, NOW, OLDEST, RESTORABLE, SQL, Estate


def _problems(*restores: Restore, there: Estate | None = None) -> list[str]:
    return problems_of(restores, (there or Estate()).sources, NOW)


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


@pytest.mark.parametrize(("service", "gone"), [("sql", SQL), ("cosmos", COSMOS), ("cosmos", RESTORABLE)])
def test_a_source_that_is_not_there_is_named(service: Service, gone: str) -> None:
    there = Estate()
    del there[gone]
    (problem,) = _problems(Restore(as_of=NOW, services=(service,)), there=there)
    assert ("AgentsDB" if service == "sql" else "cosmos-agents-dev") in problem


def test_what_was_restored_is_not_asked_about_again() -> None:
    there, old = Estate(), OLDEST - timedelta(days=30)
    there.copy("sql", old, made=old)
    there.copy("cosmos", old, made=old)
    assert _problems(Restore(as_of=old), there=there) == []


def test_a_restore_of_what_is_not_restored_yet_has_to_wait() -> None:
    first = Restore(as_of=NOW - timedelta(hours=2), services=("sql",))
    second = Restore(as_of=NOW - timedelta(hours=1), services=("sql",), of=first.as_of)
    (problem,) = _problems(first, second)
    assert "run pulumi up for that first" in problem


@pytest.mark.parametrize("service", ["sql", "cosmos"])
def test_a_copy_is_not_taken_for_one_of_something_else(service: Service) -> None:
    """An entry that gets a `stamp` or an `of` later would change nothing, and nobody would be told."""
    there, as_of = Estate(), NOW - timedelta(hours=1)
    there.copy(service, as_of, made=NOW)
    plain = Restore(as_of=as_of, services=(service,))
    held = [Recorded(service, there.sources.name(service, as_of), "id", plain.made_of)]
    fetched = plain.model_copy(update={"stamp": "dev-dr"})
    (problem,) = altered([fetched], held, there.sources)
    assert "made of the original, and would have to be of what dev-dr has" in problem
    assert "Add an entry with another as_of" in problem
    earlier = plain.model_copy(update={"of": as_of - timedelta(hours=1)})
    assert "of the copy as of 2026-11-28T10:00:00Z; a copy" in altered([earlier], held, there.sources)[0]
    kept = plain.model_copy(update={"adopted": False, "paired": True, "kept": False})
    assert altered([plain, kept], held, there.sources) == []
    # What was made before this was recorded, and what is to be made again, is not judged.
    assert altered([fetched], [Recorded(service, held[0].name, "id")], there.sources) == []
    assert altered([fetched], held, Estate().sources) == []


def _gone(service: Service) -> Estate:
    there = Estate()
    there.drop() if service == "sql" else there.delete_account()
    return there


@pytest.mark.parametrize("service", ["sql", "cosmos"])
def test_what_was_deleted_is_restored_from_its_own_history(service: Service) -> None:
    there, before = _gone(service), Restore(as_of=DELETED.replace(microsecond=0), services=(service,))
    assert _problems(before, there=there) == []
    ((key, source),) = lost_sources([before], there.sources, NOW).items()
    assert key == (service, before.as_of)
    assert source.kind is Kind.DELETED


@pytest.mark.parametrize("service", ["sql", "cosmos"])
def test_a_moment_after_the_deletion_is_refused_with_the_last_one_before(service: Service) -> None:
    after = Restore(as_of=DELETED.replace(microsecond=0) + timedelta(seconds=1), services=(service,))
    (problem,) = _problems(after, there=_gone(service))
    assert "up to 2026-11-28T10:00:00Z, when it was deleted" in problem


@pytest.mark.parametrize("service", ["sql", "cosmos"])
def test_what_is_there_comes_before_what_was_deleted_under_its_name(service: Service) -> None:
    there, newer = _gone(service), Estate()
    if service == "sql":
        there[SQL] = newer[SQL]
    else:
        there.account(COSMOS, "aaaaaaaa-0000-4000-8000-000000000002")
    restore = Restore(as_of=DELETED.replace(microsecond=0), services=(service,))
    assert lost_sources([restore], there.sources, NOW) == {}


def test_a_long_term_backup_is_of_one_second_only() -> None:
    there, taken = Estate(), datetime.fromisoformat("2026-10-01T03:00:00.25+00:00")
    there.delete_server()
    there.back_up(taken)
    exact = Restore(as_of=taken.replace(microsecond=0), services=("sql",))
    assert _problems(exact, there=there) == []
    (source,) = lost_sources([exact], there.sources, NOW).values()
    assert source.kind is Kind.BACKUP
    (problem,) = _problems(Restore(as_of=NOW, services=("sql",)), there=there)
    assert "is of 2026-10-01T03:00:00Z" in problem


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
