"""The journal knows what was acknowledged, also after a kill in the middle of a line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from drills.journal import Journal, read
from tests.drills.examples import sentinel

_ENDLESS = """
import itertools, sys
from pathlib import Path
from drills.journal import Journal
from tests.drills.examples import sentinel
with Journal(Path(sys.argv[1])) as journal:
    for number in itertools.count(1):
        journal.write(sentinel(number, 1, 2))
        print(number, flush=True)
"""


def test_the_last_that_is_known_of_a_sentinel_counts(tmp_path: Path) -> None:
    file = tmp_path / "new" / "journal.jsonl"
    with Journal(file) as journal:
        journal.write(sentinel(2, 1, None))
        journal.write(sentinel(1, 1, None))
        journal.write(sentinel(1, 1, 2))
    assert [(one.number, one.acknowledged is not None) for one in read(file)] == [(1, True), (2, False)]


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    with Journal(file) as journal:
        journal.write(sentinel(1, 1, 2))
    with file.open("a") as stream:
        stream.write('{"number": 2, "agen')
    assert [one.number for one in read(file)] == [1]


def test_a_line_in_the_middle_that_is_broken_is_not(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text('{"number": 2, "agen\n' + sentinel(1, 1, 2).model_dump_json() + "\n")
    with pytest.raises(ValueError, match="Unterminated"):
        read(file)


@pytest.mark.slow
def test_whatever_was_written_outlives_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    writer = subprocess.Popen([sys.executable, "-c", _ENDLESS, str(file)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    last = [int(writer.stdout.readline()) for _ in range(50)][-1]
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    found = read(file)
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert len(found) >= last
