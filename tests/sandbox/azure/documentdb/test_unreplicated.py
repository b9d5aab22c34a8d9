"""What a forced failover takes from a journal: all writes after a moment, none before it, once and whole."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.errors import CosmosError
from sandbox.azure.documentdb.history import History
from sandbox.azure.documentdb.items import Items, Write
from sandbox.azure.documentdb.journal import Journal
from sandbox.azure.documentdb.journal_file import BEGAN, DEFINE_DATABASE
from sandbox.azure.documentdb.unreplicated import undo
from tests.sandbox.azure.documentdb.test_history import DEFINITION

UNIQUE = Container.defined(
    "dbs/d/colls/c", {**DEFINITION, "uniqueKeyPolicy": {"uniqueKeys": [{"paths": ["/name"]}]}}
)
KEY = '["x"]'
COUNT = 1200
UNDOER = """
import sys
from pathlib import Path
from sandbox.azure.documentdb.journal import Journal
from sandbox.azure.documentdb.unreplicated import undo

journal = Journal(Path(sys.argv[1]))
print("begins", flush=True)
undo(journal, Path(sys.argv[1]), int(sys.argv[2]))
print("ended", flush=True)
"""

State = dict[str, dict[str, Any]]


def made(file: Path) -> Journal:
    journal = Journal(file)
    with journal.transaction():
        journal.mark(BEGAN, journal.now)
        journal.record("AAAAAA==", DEFINE_DATABASE, {"id": "d", "_rid": "AAAAAA==", "_self": "dbs/AAAAAA==/"})
    journal.define(UNIQUE)
    return journal


def visible(journal: Journal) -> State:
    """What clients are answered."""
    return {document["id"]: document for document in written(journal, 0)}


def written(journal: Journal, after: int) -> list[dict[str, Any]]:
    return [json.loads(body) for _, _, body in journal.after(UNIQUE, after)]


def told(file: Path, at: int) -> State:
    with History(file) as history:
        return {document["id"]: document for _, document in history.documents(UNIQUE, at)}


def moment() -> int:
    """Now: later than whatever was written, and not later than what will be."""
    before = time.time_ns() // 1000
    while time.time_ns() // 1000 == before:
        pass
    return before


operations = st.tuples(
    st.sampled_from(["upsert", "upsert", "delete"]), st.integers(0, 5).map(str), st.integers(0, 3).map(str)
)


@settings(max_examples=30)
@given(
    before=st.lists(operations, max_size=12),
    after=st.lists(operations, max_size=12),
    later=st.lists(operations, max_size=4),
)
def test_what_is_left_is_what_there_was(
    before: list[tuple[str, str, str]], after: list[tuple[str, str, str]], later: list[tuple[str, str, str]]
) -> None:
    """Visible data and all of the history are those of the moment, and the account goes on from there."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.db"
        journal = made(file)
        _do(journal, before)
        cut, wanted = moment(), visible(journal)
        past = told(file, cut)
        _do(journal, after)
        between, lost = moment(), visible(journal)
        undo(journal, file, cut)
        assert visible(journal) == wanted == past
        assert [told(file, at) for at in (cut, between, moment())] == [wanted] * 3
        reached = journal.next_lsn()
        assert undo(journal, file, cut) == 0, "again, there is nothing left to take"
        assert (visible(journal), journal.next_lsn()) == (wanted, reached)
        journal.close()

        # After a restart, too: nothing of what is new is taken for something that was lost.
        journal = Journal(file)
        _do(journal, later)
        known = {document["_etag"] for document in (*lost.values(), *wanted.values())}
        fresh = [one for one in visible(journal).values() if one != wanted.get(one["id"])]
        assert not known & {one["_etag"] for one in fresh}
        assert told(file, moment()) == visible(journal)
        journal.close()


def _do(journal: Journal, work: list[tuple[str, str, str]]) -> None:
    for kind, id_, name in work:
        body = None if kind == "delete" else {"id": id_, "agent": "x", "name": name}
        # Refused where it is not there, or where its name is another's.
        with contextlib.suppress(CosmosError):
            Items(journal, UNIQUE).one(Write(kind, KEY, id=id_, body=body))


def test_a_unique_value_that_moved_is_back_where_it_was(tmp_path: Path) -> None:
    journal = made(tmp_path / "a.db")
    _do(journal, [("upsert", "1", "a"), ("upsert", "2", "b")])
    cut = moment()
    _do(journal, [("upsert", "1", "c"), ("upsert", "2", "a")])
    undo(journal, tmp_path / "a.db", cut)
    assert {id_: one["name"] for id_, one in visible(journal).items()} == {"1": "a", "2": "b"}
    with pytest.raises(CosmosError, match="nique"):
        Items(journal, UNIQUE).one(Write("create", KEY, body={"id": "3", "agent": "x", "name": "b"}))


def test_a_container_that_was_dropped_meanwhile_stays_dropped(tmp_path: Path) -> None:
    journal = made(tmp_path / "a.db")
    cut = moment()
    _do(journal, [("upsert", "1", "a")])
    journal.drop(UNIQUE)
    undo(journal, tmp_path / "a.db", cut)
    assert visible(journal) == {}


def test_followers_hear_of_what_was_put_back(tmp_path: Path) -> None:
    """The query engine and readers of the change feed know how far they are by the numbers of writes."""
    journal = made(tmp_path / "a.db")
    _do(journal, [("upsert", "1", "a")])
    cut = moment()
    _do(journal, [("upsert", "1", "b"), ("upsert", "2", "c")])
    followed = journal.last(UNIQUE)
    undo(journal, tmp_path / "a.db", cut)
    assert [one["name"] for one in written(journal, followed)] == ["a"]
    assert journal.removed_after(UNIQUE, followed) == [(KEY, "2")]


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_killed_it_has_done_all_or_nothing(tmp_path: Path, pause: float) -> None:
    file = tmp_path / "a.db"
    journal = made(file)
    kept = [Write("create", KEY, body={"id": f"k{n}", "agent": "x", "name": f"k{n}"}) for n in range(50)]
    Items(journal, UNIQUE).batch(kept)
    cut, wanted = moment(), visible(journal)
    lost = [Write("create", KEY, body={"id": str(n), "agent": "x", "name": str(n)}) for n in range(COUNT)]
    Items(journal, UNIQUE).batch(lost)
    journal.close()
    command = [sys.executable, "-c", UNDOER, str(file), str(cut)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        finished = process.stdout.read() == "ended\n"
    journal = Journal(file)
    left = len(visible(journal))
    assert left in ((50,) if finished else (50, 50 + COUNT))
    undo(journal, file, cut)
    assert visible(journal) == wanted == told(file, moment())
