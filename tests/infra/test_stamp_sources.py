"""What a stamp's data comes from: found, or refused with what would do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra.cloud import WELL_KNOWN
from infra.settings import Settings, parse
from infra.settings.restores import written
from infra.stacks.source import Source
from infra.stacks.stamp_sources import problems_of, restore_source
from tests.infra.test_takeover import ACCOUNT, GROUP, IDENTITY, IN_BOTH, PROD, RG, write

pytestmark = pytest.mark.usefixtures("loop")

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
FIRST = datetime(2026, 11, 28, 9, tzinfo=UTC)
BACKUP = f"{RG}/Microsoft.Sql/servers/sql-agents-prod/recoverableDatabases/AgentsDB"
RESTORABLE = "providers/Microsoft.DocumentDB/locations/westeurope/restorableDatabaseAccounts"
OWN = "resourceGroups/rg-agents-prod-dr/providers"
OWN_ROWS = f"{OWN}/Microsoft.Sql/servers/sql-agents-prod-dr/databases/AgentsDB"
OWN_DOCUMENTS = f"{OWN}/Microsoft.DocumentDB/databaseAccounts/cosmos-agents-prod-dr"
ROWS, DOCUMENTS = {"sql": "geo-restore"}, {"cosmos": "restore", "as_of": "2026-11-28T10:00:00Z"}


def restorable(*stays: dict[str, str]) -> dict[str, Any]:
    known = {"oldestRestorableTime": "2026-11-21T12:00:00Z", "restorableLocations": list(stays)}
    return {"value": [{"name": "AAAA", "properties": known}, {"name": "other", "properties": {}}]}


NORTH = {"locationName": "North Europe", "creationTime": written(FIRST)}
WEST = {"locationName": "West Europe", "creationTime": "2026-01-01T00:00:00Z"}
THERE: dict[str, Any] = {
    GROUP: {"properties": {"replicationRole": "Secondary"}},
    IDENTITY: {},
    ACCOUNT: {"properties": {"locations": IN_BOTH, "instanceId": "aaaa"}},
    BACKUP: {"properties": {}},
    RESTORABLE: restorable(WEST, NORTH),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {})
    return tmp_path


def stamp(project: Path, **recovery: Any) -> Settings:
    own = {"role": "recovery", "source": "prod", "location": "", "recovery": json.dumps(recovery)}
    return parse(own, "prod-dr", project)


def source(project: Path) -> Source:
    values = {key.rpartition(":")[2]: one for key, one in PROD.items()}
    return Source(parse(values, "prod", project), WELL_KNOWN["public"])


def problems(project: Path, there: dict[str, Any], **recovery: Any) -> list[str]:
    """`there`: answers by path; an exception is raised."""

    def read(path: str, _version: str) -> Any:
        answer = there.get(path)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return list(problems_of(stamp(project, **recovery), source(project), read, NOW))


def without(path: str, **more: Any) -> dict[str, Any]:
    return {**{key: one for key, one in THERE.items() if key != path}, **more}


SILENT = pulumi.RunError("https://management.azure.com/… answered 503 Service Unavailable")


@pytest.mark.parametrize(
    "recovery", [{}, ROWS, DOCUMENTS, ROWS | DOCUMENTS], ids=["neither", "sql", "cosmos", "both"]
)
def test_everything_is_there(project: Path, recovery: dict[str, Any]) -> None:
    assert problems(project, THERE, **recovery) == []


def test_without_a_failover_group_it_says_what_would_do(project: Path) -> None:
    (problem,) = problems(project, without(GROUP))
    assert "there is no failover group fog-agents-prod" in problem
    assert "pulumi config set --stack prod-dr --path agents:recovery.sql geo-restore" in problem
    assert problems(project, without(GROUP), **ROWS) == []


def test_without_a_geo_redundant_backup_it_is_refused(project: Path) -> None:
    (problem,) = problems(project, without(BACKUP), **ROWS)
    assert "there is no geo-redundant backup of database AgentsDB of server sql-agents-prod" in problem


def test_a_lost_region_that_does_not_say_what_backups_it_has_is_no_obstacle(project: Path) -> None:
    assert problems(project, {**THERE, BACKUP: SILENT}, **ROWS) == []


def test_a_backup_is_not_taken_where_newer_rows_are(project: Path) -> None:
    moved = {**THERE, GROUP: {"properties": {"replicationRole": "Primary"}}}
    (problem,) = problems(project, moved, **ROWS)
    assert "SQL has failed over to server sql-agents-prod-backup, where the newest rows are" in problem
    assert "agents:recovery.sql failover" in problem


@pytest.mark.parametrize(
    ("own", "kind", "remedy"),
    [
        (OWN_ROWS, "SQL database", "agents:recovery.sql geo-restore"),
        (OWN_DOCUMENTS, "Cosmos DB account", "agents:recovery.cosmos restore"),
    ],
    ids=["sql", "cosmos"],
)
def test_data_of_its_own_is_not_left_by_the_way(project: Path, own: str, kind: str, remedy: str) -> None:
    (problem,) = problems(project, {**THERE, own: {"properties": {}}})
    assert f"prod-dr has a {kind} of its own" in problem
    assert remedy in problem


def test_what_was_restored_is_not_asked_about_again(project: Path) -> None:
    own = {OWN_ROWS: {"properties": {}}, OWN_DOCUMENTS: {"properties": {}}}
    assert problems(project, own, **ROWS, **DOCUMENTS) == []


def test_another_moment_than_that_of_the_documents_there_is_not_passed_over(project: Path) -> None:
    def made(moment: str) -> dict[str, Any]:
        return {OWN_DOCUMENTS: {"properties": {"restoreParameters": {"restoreTimestampInUtc": moment}}}}

    assert problems(project, {**THERE, **made("2026-11-28T10:00:00+00:00")}, **DOCUMENTS) == []
    (problem,) = problems(project, {**THERE, **made("2026-11-28T09:59:59Z")}, **DOCUMENTS)
    assert "has documents as of 2026-11-28T09:59:59Z, and agents:recovery.as_of is 2026-11-28T10" in problem
    assert "--path agents:recovery.as_of 2026-11-28T09:59:59Z" in problem


@pytest.mark.parametrize(
    ("as_of", "said"),
    [
        ("2026-11-28T12:00:01Z", "it is 2026-11-28T12:00:00Z now"),
        (
            "2026-11-28T08:59:59Z",
            "as of 2026-11-28T08:59:59Z: it can as of 2026-11-28T09:00:00Z up to 2026-11-28T12:00:00Z",
        ),
    ],
)
def test_a_moment_outside_the_window_is_refused(project: Path, as_of: str, said: str) -> None:
    (problem,) = problems(project, THERE, cosmos="restore", as_of=as_of)
    assert said in problem


@pytest.mark.parametrize("edge", ["2026-11-28T09:00:00Z", "2026-11-28T12:00:00Z"])
def test_the_windows_edges_are_inside(project: Path, edge: str) -> None:
    assert problems(project, THERE, cosmos="restore", as_of=edge) == []


def test_after_the_region_was_given_up_nothing_can_be_had(project: Path) -> None:
    gone = NORTH | {"deletionTime": "2026-11-28T09:30:00Z"}
    (problem,) = problems(project, {**THERE, RESTORABLE: restorable(WEST, gone)}, **DOCUMENTS)
    assert "it can as of 2026-11-28T09:00:00Z up to 2026-11-28T09:30:00Z" in problem


def test_an_account_of_one_region_cannot_be_had_anywhere_else(project: Path) -> None:
    (problem,) = problems(project, {**THERE, RESTORABLE: restorable(WEST)}, **DOCUMENTS)
    assert "it was never backed up there. Azure restores an account only into a region" in problem


@pytest.mark.parametrize("answer", [SILENT, None], ids=["silent", "unseen"])
def test_a_restore_goes_by_way_of_the_accounts_own_region(project: Path, answer: Any) -> None:
    (problem,) = problems(project, {**THERE, RESTORABLE: answer}, **DOCUMENTS)
    assert "Cosmos DB restores account cosmos-agents-prod by way of westeurope" in problem
    assert "agents:recovery.cosmos failover" in problem


def test_what_it_is_restored_from_is_known_while_the_source_is_and_afterwards(project: Path) -> None:
    settings, origin = stamp(project, **DOCUMENTS), source(project)
    assert restore_source(settings, origin, lambda path, _: THERE.get(path)) == ("westeurope", "aaaa")
    named = {"restoreParameters": {"restoreSource": f"/subscriptions/s/{RESTORABLE}/bbbb"}}
    own = {OWN_DOCUMENTS: {"properties": named}}
    assert restore_source(settings, origin, lambda path, _: own.get(path)) == ("westeurope", "bbbb")
