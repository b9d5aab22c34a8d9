"""What was acknowledged survives `kill -9` of the process, at whatever moment it comes."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.arm.database import Database
from sandbox.arm.store import SqliteStore

_WRITER = """
import sys
from pathlib import Path
from sandbox.arm.database import Database
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource
from sandbox.arm.store import SqliteStore

store = SqliteStore(Database(Path(sys.argv[1])))
for number in range(int(sys.argv[2]), 10**9):
    id_ = parse_id(f"/subscriptions/s/resourceGroups/g{number}")
    store.save(Resource(id_, {"properties": {"number": number}}, 1.0, 1.0))
    print(number, flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_acknowledged_writes_survive(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "azure.db"
    acknowledged = -1
    pauses = random.Random(seed)  # noqa: S311  (moments to kill at, not secrets)
    for _ in range(3):
        command = [sys.executable, "-c", _WRITER, str(path), str(acknowledged + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged = int(writer.stdout.readline())
            time.sleep(pauses.random() / 10)
            writer.kill()
            numbers = writer.stdout.read().split("\n")[:-1]
            acknowledged = int(numbers[-1]) if numbers else acknowledged
    found = {resource.properties["number"] for resource in SqliteStore(Database(path)).list()}
    assert set(range(acknowledged + 1)) <= found
