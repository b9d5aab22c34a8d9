"""The settings that a refusal names are taken as the program prints them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drills.disasters.group_deleted import rows_lost
from drills.refusals import answer, losses
from infra.naming import Names
from infra.stacks import deletions
from infra.stacks.recorded import Recorded
from infra.stacks.restore_sources import Sources

NOW = datetime(2026, 11, 28, 11, 0, tzinfo=UTC)
ACCOUNT = Recorded("cosmos", "cosmos-agents-dev", "8f3c1a52-0d5e-4b57-9c39-5d1b1a6f0c11")
DATABASE = Recorded("sql", "AgentsDB", "0b7c3a11-7a35-4a52-8f1e-3a2c5f6d7e80")
BACKUP = "/subscriptions/s/longTermRetentionBackups/b"


def printed(*recorded: Recorded, backup: datetime | None = None) -> str:
    """What the program says when the group is gone, as Pulumi shows it."""

    def read(path: str, _version: str) -> dict[str, Any] | None:
        if path.endswith("/restorableDatabaseAccounts"):
            known = {
                "accountName": ACCOUNT.name,
                "oldestRestorableTime": (NOW - timedelta(days=1)).isoformat(),
                "deletionTime": "2026-11-28T10:00:00.5+00:00",
            }
            return {"value": [{"id": "/a", "name": ACCOUNT.identity, "properties": known}]}
        if path.endswith("/longTermRetentionBackups") and backup:
            return {"value": [{"id": BACKUP, "properties": {"backupTime": backup.isoformat()}}]}
        return None

    sources = Sources(Names("dev"), "westeurope", read)
    problems = deletions.problems_of(recorded, (), (), sources, NOW)
    return "\n".join(["error: data of this environment was deleted:", *problems]).replace("\n", "\n    ")


def test_what_can_be_had_back_is_restored() -> None:
    restores = [{"as_of": "2026-11-28T10:00:00Z", "services": ["cosmos"]}]
    assert answer(printed(ACCOUNT)) == {"restores": restores}


def test_of_what_nothing_is_left_is_given_up() -> None:
    assert answer(printed(ACCOUNT, DATABASE)) == {
        "restores": [{"as_of": "2026-11-28T10:00:00Z", "services": ["cosmos"]}],
        "begin_empty": [DATABASE.identity],
    }


def test_a_long_term_backup_is_better_than_nothing() -> None:
    taken = NOW - timedelta(days=3)
    said = printed(DATABASE, ACCOUNT, backup=taken)
    assert answer(said) == {
        "restores": [
            {"as_of": "2026-11-25T11:00:00Z", "services": ["sql"]},
            {"as_of": "2026-11-28T10:00:00Z", "services": ["cosmos"]},
        ]
    }
    assert "the long-term backup of 2026-11-25T11:00:00Z" in (rows_lost(losses(said)) or "")


def test_what_is_said_twice_is_one_loss() -> None:
    said = printed(ACCOUNT, DATABASE)
    assert [one.identity for one in losses(said + said)] == [ACCOUNT.identity, DATABASE.identity]


def test_a_copy_of_a_copy_is_asked_for_by_what_it_is_of() -> None:
    told = f"""
      - account cosmos-agents-dev-20261127100000 ({ACCOUNT.identity}) is gone: it was deleted
          agents:restores:
            - as_of: "2026-11-28T09:59:59Z"
              services: [cosmos]
              of: "2026-11-27T10:00:00Z"
          agents:begin_empty:
            - {ACCOUNT.identity}
    """
    (entry,) = answer(told)["restores"]
    assert entry["of"] == "2026-11-27T10:00:00Z"


def test_another_failure_is_no_refusal() -> None:
    with pytest.raises(RuntimeError, match="named nothing that was lost"):
        answer("error: the cloud is away")


def test_a_report_says_that_history_is_gone() -> None:
    assert "there is no long-term backup" in (rows_lost(losses(printed(ACCOUNT, DATABASE))) or "")
    assert rows_lost(losses(printed(ACCOUNT))) is None
