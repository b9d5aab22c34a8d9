"""What was accepted outlives `kill -9`, at whatever moment it comes, and nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.azure.eventgrid.commits import Commits
from sandbox.azure.eventgrid.journal import Attempted, Journal

#: Accepts and delivers in one process, as the sandbox does: prints `accepted N` and `delivered N`.
_PUBLISHER = """
import asyncio, json, sys
from pathlib import Path
from tests.sandbox.azure.conftest import make_world
from tests.sandbox.azure.eventgrid import bodies
from tests.sandbox.azure.eventgrid.sink import Sink
from sandbox.azure.eventgrid import grid, naming
from sandbox.azure.eventgrid.subscriptions import TopicSubscriptionHandler
from sandbox.azure.eventgrid.topics import TopicHandler

def say(what, number):
    sys.stdout.write(f"{what} {number}\\n")
    sys.stdout.flush()

class Telling(Sink):
    async def __call__(self, scope, receive, send):
        await super().__call__(scope, receive, send)
        say("delivered", self.asked[-1].event["data"]["number"])

async def publish(world, first):
    topic = naming.topic_named(world.store, "topic-agents-dev", "westeurope")
    for start in range(first, 10**9, 10):
        numbers = range(start, start + 10)
        await grid.grid(world.services).accept(topic, [bodies.event(number) for number in numbers])
        for number in numbers:
            say("accepted", number)

async def main(state, first):
    world = make_world(state)
    world.router.mount("*.queue.storage.azure.test", Telling())
    if not list(world.store.list(type=naming.TOPIC)):
        bodies.add_storage(world)
        await world.aput(TopicHandler, bodies.TOPIC, bodies.topic_body())
    world.rbac.grant("owner", bodies.QUEUE_WRITE, bodies.CONTAINER_WRITE, data=False)
    found = await world.aput(TopicSubscriptionHandler, bodies.CHILD, bodies.subscription_body())
    found.properties["provisioningState"] = "Succeeded"
    world.store.save(found)
    if first >= 0:
        await publish(world, first)
    journal = grid.grid(world.services)._journal
    while journal.waiting(found.id.key):
        await asyncio.sleep(0.02)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def run(state: Path, first: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _PUBLISHER, str(state), str(first)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def numbers(lines: list[str], what: str) -> list[int]:
    return [int(line.split()[1]) for line in lines if line.startswith(f"{what} ")]


@pytest.mark.parametrize("seed", range(2))
def test_killed_in_the_middle_of_batches_no_accepted_event_is_lost(tmp_path: Path, seed: int) -> None:
    pauses = random.Random(seed)  # noqa: S311  (moments to kill at, not secrets)
    lines: list[str] = []
    for attempt in range(3):
        with run(tmp_path, attempt * 1_000_000) as process:
            assert process.stdout is not None
            lines += [process.stdout.readline() for _ in range(5)]
            time.sleep(pauses.random() / 3)
            process.kill()
            lines += process.stdout.read().split("\n")[:-1]
    with run(tmp_path, -1) as process:
        assert process.stdout is not None
        lines += process.stdout.read().split("\n")[:-1]
    accepted, delivered = set(numbers(lines, "accepted")), numbers(lines, "delivered")
    assert len(accepted) >= 30
    assert accepted <= set(delivered)
    # Batches are all or nothing, whether their acceptance was told or not.
    batches = {number // 10 for number in delivered}
    assert {number for batch in batches for number in range(batch * 10, batch * 10 + 10)} == set(delivered)
    left = sqlite3.connect(tmp_path / "eventgrid" / "events.db")
    assert left.execute("SELECT count(*) FROM events").fetchone() == (0,)


async def test_an_event_goes_with_its_last_delivery(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.db")
    ((number, _),) = await journal.accept([({"id": "1"}, ["a", "b"]), ({"id": "2"}, [])], 5.0)
    assert journal.waiting("a") == [(number, 5.0, False)]
    await journal.finish("a", [number])
    assert journal.pending("a", [number]) == []
    (left,) = journal.pending("b", [number])
    assert (left.event, left.published, left.attempts) == ({"id": "1"}, 5.0, 0)
    await journal.record("b", [Attempted(number, 9.0, 1, 6.0, "Busy", "why")])
    assert journal.waiting("b") == [(number, 9.0, True)]
    await journal.forget("b")
    assert journal._reader.execute("SELECT count(*) FROM events").fetchone() == (0,)
    ((later, _),) = await journal.accept([({"id": "3"}, ["a"])], 7.0)
    assert later > number, "numbers are not used again"
    journal.close()


async def test_work_that_fails_leaves_nothing_and_harms_no_other(tmp_path: Path) -> None:
    commits = Commits(tmp_path / "file.db", "CREATE TABLE IF NOT EXISTS t (a INTEGER);")

    def good(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO t VALUES (1)")
        return 1

    def bad(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO t VALUES (2)")
        raise ValueError("no")

    done = await asyncio.gather(
        *(commits.run(work) for work in [good, bad, good, bad] * 10), return_exceptions=True
    )
    assert [str(one) for one in done] == ["1", "no", "1", "no"] * 10
    rows = await commits.run(lambda connection: connection.execute("SELECT a FROM t").fetchall())
    assert rows == [(1,)] * 20
    commits.close()
    assert json.dumps(rows)
