"""Schemas are derived once, and a damaged or unwritable cache costs time only."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.types import cache, derive, table
from sandbox.types.armtype import ArmType
from sandbox.types.schema import Schema


@pytest.fixture
def row() -> ArmType:
    found = table.by_arm_type("Microsoft.KeyVault/vaults")
    assert found is not None
    return found


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder."""
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "types")
    cache.schema.cache_clear()
    yield tmp_path / "types"
    cache.schema.cache_clear()


def test_a_schema_survives_json(row: ArmType) -> None:
    made = derive.derive(row)
    assert Schema.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_what_was_derived_is_read_back(row: ArmType, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cache.schema(row)
    assert [file.name for file in fresh.iterdir()] == ["Microsoft.KeyVault.vaults.json"]
    cache.schema.cache_clear()
    monkeypatch.setattr(derive, "derive", lambda _: pytest.fail("derived again"))
    assert cache.schema(row) == first


@pytest.mark.parametrize("text", ["", "{", '{"root": "root"}', "[]", '{"root": 1, "definitions": {"a": 1}}'])
def test_a_damaged_file_is_derived_again(row: ArmType, fresh: Path, text: str) -> None:
    first = cache.schema(row)
    (file,) = fresh.iterdir()
    file.write_text(text)
    cache.schema.cache_clear()
    assert cache.schema(row) == first
    assert Schema.from_json(json.loads(file.read_text())) == first


def test_a_folder_that_cannot_be_written_is_no_obstacle(row: ArmType, fresh: Path) -> None:
    fresh.write_text("in the way")
    assert cache.schema(row).definitions


def test_threads_derive_one_after_the_other(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    derived, meeting, met = derive.derive, threading.Barrier(2), []

    def watched(row: ArmType) -> Schema:
        try:
            meeting.wait(timeout=0.3)
            met.append(row.type)
        except threading.BrokenBarrierError:
            meeting.reset()
        return derived(row)

    monkeypatch.setattr(derive, "derive", watched)
    rows = [row for row in table.ROWS if row.namespace == "Microsoft.KeyVault"][:2]
    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(cache.schema, rows))
    assert met == []
    assert len(list(fresh.iterdir())) == 2


def test_nothing_heavy_is_imported_where_the_cache_is_warm(row: ArmType) -> None:
    cache.schema(row)
    program = (
        "import sys; from sandbox.types import cache, table, validate; "
        "cache.schema(table.by_arm_type('Microsoft.KeyVault/vaults')); "
        "print([m for m in sys.modules if m.startswith(('azure.mgmt', 'pulumi'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
