"""Nothing empty takes the place of data that was deleted, until a setting says what may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from infra.settings.restores import Restore, Service
from infra.stacks import recorded
from infra.stacks.deletions import problems_of
from infra.stacks.recorded import Recorded
from tests.infra.estate import ACCOUNT, DATABASE, DELETED, NOW, RECORDED, Estate

BEFORE = DELETED.replace(microsecond=0)


def _problems(
    there: Estate,
    *restores: Restore,
    given_up: Sequence[str] = (),
    held: Sequence[Recorded] = tuple(RECORDED),
) -> list[str]:
    return problems_of(held, restores, given_up, there.sources, NOW)


def _without(service: Service) -> Estate:
    there = Estate()
    there.drop() if service == "sql" else there.delete_account()
    return there


def _restore(service: Service, as_of: datetime = BEFORE, of: datetime | None = None) -> Restore:
    return Restore(as_of=as_of, services=(service,), of=of)


def test_what_is_there_is_not_spoken_of() -> None:
    assert _problems(Estate()) == []


@pytest.mark.parametrize("service", ["sql", "cosmos"])
def test_a_stack_that_never_had_data_or_was_destroyed_begins_empty(service: Service) -> None:
    assert _problems(_without(service), held=[]) == []


@pytest.mark.parametrize(("service", "identity"), [("sql", DATABASE), ("cosmos", ACCOUNT)])
def test_what_was_deleted_is_refused_with_the_settings_that_go_on(service: Service, identity: str) -> None:
    (problem,) = _problems(_without(service))
    assert "was deleted at 2026-11-28T10:00:00Z" in problem
    assert '- as_of: "2026-11-28T10:00:00Z"' in problem
    assert f"services: [{service}]" in problem
    assert f"agents:begin_empty:\n        - {identity}" in problem


@pytest.mark.parametrize("service", ["sql", "cosmos"])
def test_a_restore_from_before_the_deletion_answers_it(service: Service) -> None:
    assert _problems(_without(service), _restore(service)) == []


@pytest.mark.parametrize("service", ["sql", "cosmos"])
def test_a_restore_of_the_other_service_does_not(service: Service) -> None:
    other: Service = "cosmos" if service == "sql" else "sql"
    assert len(_problems(_without(service), _restore(other))) == 1


@pytest.mark.parametrize("service", ["sql", "cosmos"])
def test_a_copy_made_before_the_deletion_does_not_have_what_was_lost(service: Service) -> None:
    there, as_of = _without(service), BEFORE - timedelta(hours=3)
    there.copy(service, as_of, made=BEFORE - timedelta(hours=1), of="another")
    assert len(_problems(there, _restore(service, as_of))) == 1


@pytest.mark.parametrize("service", ["sql", "cosmos"])
def test_an_update_that_ended_after_the_copy_was_made_can_go_on(service: Service) -> None:
    there = _without(service)
    there.copy(service, BEFORE, made=BEFORE + timedelta(hours=1))
    assert _problems(there, _restore(service)) == []


@pytest.mark.parametrize(("service", "identity"), [("sql", DATABASE), ("cosmos", ACCOUNT)])
def test_giving_up_means_one_deletion_and_not_the_next(service: Service, identity: str) -> None:
    there = _without(service)
    assert _problems(there, given_up=[identity]) == []
    successor = [Recorded(one.service, one.name, "made-anew") for one in RECORDED]
    assert len(_problems(there, given_up=[identity], held=successor)) == 1


def test_what_is_there_cannot_be_given_up() -> None:
    (problem,) = _problems(Estate(), given_up=[ACCOUNT])
    assert "is not deleted" in problem


def test_a_server_takes_its_databases_and_their_points_in_time_along() -> None:
    there = Estate()
    there.delete_server()
    (problem,) = _problems(there)
    assert "its server with it" in problem
    assert "Nothing that whoever deploys may read has its data" in problem


def test_a_deleted_servers_long_term_backups_are_offered() -> None:
    there = Estate()
    there.delete_server()
    there.back_up(datetime.fromisoformat("2026-10-01T03:00:00+00:00"))
    there.back_up(datetime.fromisoformat("2026-11-01T03:00:00+00:00"))
    (problem,) = _problems(there)
    assert '- as_of: "2026-11-01T03:00:00Z"' in problem
    assert _problems(there, _restore("sql", datetime.fromisoformat("2026-11-01T03:00:00+00:00"))) == []


def test_a_deleted_copy_is_restored_as_a_copy_of_it() -> None:
    there, first = Estate(), _restore("cosmos", BEFORE - timedelta(hours=3))
    there.copy("cosmos", first.as_of, made=BEFORE - timedelta(hours=2))
    (copy,) = [one for path, one in there.items() if path.endswith("20261128070000")]
    held = Recorded("cosmos", "cosmos-agents-dev-20261128070000", copy["properties"]["instanceId"])
    there.delete_account(held.identity)
    (problem,) = _problems(there, first, held=[held])
    assert 'of: "2026-11-28T07:00:00Z"' in problem
    assert _problems(there, first, _restore("cosmos", of=first.as_of), held=[held]) == []


def test_what_components_hold_is_read_from_the_state() -> None:
    urn = "urn:pulumi:dev::agents::"
    outputs = [
        ("agents:azure:Cosmos", {"holds": {"cosmos-agents-dev": ACCOUNT.upper()}}),
        ("agents:azure:Sql", {"holds": {"AgentsDB": DATABASE, "Copy": None}}),
        ("agents:azure:RestoredCosmos", {}),
        ("agents:azure:Vault", {"holds": {"kv": "vault"}}),
        (
            "agents:azure:RestoredCosmos",
            {"holds": {"cosmos-agents-dev-1": "COPY"}, "madeOf": {"cosmos-agents-dev-1": "the original"}},
        ),
    ]
    held = recorded.parse({f"{urn}X${kind}::one": {"type": kind, "outputs": has} for kind, has in outputs})
    copy = Recorded("cosmos", "cosmos-agents-dev-1", "copy", "the original")
    assert sorted(held, key=str) == sorted([*RECORDED, copy], key=str)
