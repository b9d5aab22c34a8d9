"""The journal as a restore reads it: whole batches, times that never go back, nothing forgotten too early."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.errors import CosmosError
from sandbox.azure.documentdb.history import History
from sandbox.azure.documentdb.items import Items, Write
from sandbox.azure.documentdb.journal import Journal
from sandbox.azure.documentdb.journal_file import BEGAN, DEFINE_DATABASE, RESTORED
from sandbox.azure.documentdb.restore import replay
from sandbox.azure.documentdb.restore_request import RestoreRequest
from tests.sandbox.azure.documentdb.estate import until

DEFINITION: dict[str, Any] = {
    "id": "c",
    "_rid": "AAAAAIAAAAA=",
    "_self": "dbs/AAAAAA==/colls/AAAAAIAAAAA=/",
    "partitionKey": {"paths": ["/agent"], "kind": "Hash"},
    "uniqueKeyPolicy": {"uniqueKeys": []},
}
CONTAINER = Container.defined("dbs/d/colls/c", DEFINITION)
COUNT = 2500
REPLAYER = """
import sys
from pathlib import Path
from sandbox.azure.documentdb.journal import Journal
from sandbox.azure.documentdb.restore import replay
from tests.sandbox.azure.documentdb.test_history import wanted

journal = Journal(Path(sys.argv[2]))
print("begins", flush=True)
replay(journal, Path(sys.argv[1]), wanted(int(sys.argv[3])))
print("ended", flush=True)
"""


def wanted(at: int) -> RestoreRequest:
    return RestoreRequest("s", "westeurope", "i", at, None, ttl_disabled=False)


def microseconds() -> int:
    return time.time_ns() // 1000


def made(file: Path) -> Journal:
    journal = Journal(file)
    with journal.transaction():
        journal.mark(BEGAN, journal.now)
        journal.record("AAAAAA==", DEFINE_DATABASE, {"id": "d", "_rid": "AAAAAA==", "_self": "dbs/AAAAAA==/"})
    journal.define(CONTAINER)
    return journal


def write(journal: Journal, kind: str, name: str, **more: Any) -> None:
    body = None if kind == "delete" else {"id": name, "agent": "x", **more}
    Items(journal, CONTAINER).one(Write(kind, '["x"]', id=name, body=body))


def documents(file: Path, at: int) -> dict[str, dict[str, Any]]:
    with History(file) as history:
        return {document["id"]: document for _, document in history.documents(CONTAINER, at)}


def test_a_batch_happens_at_one_moment(tmp_path: Path) -> None:
    journal = made(tmp_path / "a.db")
    writes = [Write("create", '["x"]', body={"id": str(n), "agent": "x"}) for n in range(50)]
    before = microseconds()
    assert not any(isinstance(one, CosmosError) for one in Items(journal, CONTAINER).batch(writes))
    after = microseconds()
    moments = [*range(before - 1, after, max(1, (after - before) // 200)), after]
    counts = {len(documents(tmp_path / "a.db", at)) for at in moments}
    assert counts == {0, 50}


def test_a_clock_that_is_set_back_makes_no_state_that_never_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.db"
    journal = made(file)
    genuine = time.time_ns
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: genuine() + 60_000_000_000)
        write(journal, "create", "first")
    write(journal, "create", "second")
    journal.close()
    write(Journal(file), "create", "third")
    at = [set(documents(file, microseconds() + seconds * 1_000_000)) for seconds in (0, 70)]
    assert at == [set(), {"first", "second", "third"}]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_within_the_window_is_forgotten(tmp_path: Path, seed: int) -> None:
    """Random writes, trimmed at a random moment: each moment since is told as it was."""
    choose = random.Random(seed)  # noqa: S311  (a repeatable order of writes, no secret)
    file = tmp_path / "a.db"
    journal = made(file)
    told: dict[int, dict[str, dict[str, Any]]] = {}
    current: set[str] = set()
    for number in range(300):
        name = str(choose.randrange(20))
        if name in current and choose.random() < 0.4:
            write(journal, "delete", name)
            current.discard(name)
        else:
            write(journal, "upsert", name, n=number)
            current.add(name)
        at = microseconds()
        told[at] = documents(file, at)
    for cut in sorted(choose.sample(sorted(told), 3)):
        journal.prune(cut / 1e6)
        assert journal.moment(BEGAN) == cut
        for at in (moment for moment in told if moment >= cut):
            assert documents(file, at) == told[at]
    assert set(told[max(told)]) == current


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.15])
def test_a_killed_replay_leaves_all_or_nothing(tmp_path: Path, pause: float) -> None:
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    journal = made(source)
    writes = [
        Write("create", '["x"]', body={"id": str(n), "agent": "x", "t": "x" * 200}) for n in range(COUNT)
    ]
    Items(journal, CONTAINER).batch(writes)
    at = microseconds()
    write(journal, "create", "later")
    command = [sys.executable, "-c", REPLAYER, str(source), str(target), str(at)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        finished = process.stdout.read() == "ended\n"
    restored = Journal(target)
    there = documents(target, microseconds())
    whole = restored.moment(RESTORED) is not None
    assert len(there) == (COUNT if whole else 0)
    assert whole or not finished
    if not whole:
        replay(restored, source, wanted(at))
    assert documents(target, microseconds()) == documents(source, at)


def test_a_reader_sees_one_state(tmp_path: Path) -> None:
    """However long it reads, and whatever is trimmed meanwhile."""
    journal = made(tmp_path / "a.db")
    write(journal, "create", "1", n=1)
    at = microseconds()
    until(lambda: microseconds() > at)
    with History(tmp_path / "a.db") as history:
        began = history.began()
        write(journal, "upsert", "1", n=2)
        journal.prune(time.time())
        assert [document["n"] for _, document in history.documents(CONTAINER, at)] == [1]
        assert history.began() == began
    assert documents(tmp_path / "a.db", at) == {}


def test_what_had_ended_is_no_more_though_nobody_removed_it(tmp_path: Path) -> None:
    short = Container.defined(CONTAINER.link, {**DEFINITION, "defaultTtl": 60})
    journal = made(tmp_path / "a.db")
    journal.define(short)
    for name, ttl in (("default", None), ("longer", 3600), ("forever", -1)):
        body = {"id": name, "agent": "x", **({"ttl": ttl} if ttl else {})}
        Items(journal, short).one(Write("create", '["x"]', body=body))

    def left(seconds: int) -> list[str]:
        with History(tmp_path / "a.db") as history:
            rows = history.documents(short, microseconds() + seconds * 1_000_000)
            return [document["id"] for _, document in rows]

    assert left(0) == ["default", "longer", "forever"]
    assert left(61) == ["longer", "forever"]
    assert left(3601) == ["forever"]
