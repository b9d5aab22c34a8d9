"""A restore that `kill -9` interrupts: nothing half-made is ever shown, and it is done at the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.sandbox.azure.sql.conftest import GROUP, SERVER, Sql, running
from tests.sandbox.azure.sql.killed import STAGES
from tests.sandbox.azure.sql.restoring import backed_up, commit, in_cluster, rows
from tests.sandbox.azure.sql.test_durability import processes
from tests.waiting import until


@pytest.fixture(scope="module")
def moment(state: Path, patch: pytest.MonkeyPatch) -> datetime:
    """Between two rows of a database in a cloud that is down now."""
    with running(state, patch) as sql:
        sql.make_server(SERVER)
        sql.let_azure_in()
        sql.make_database()
        backed_up(sql)
        between = commit(sql, "before")
        commit(sql, "after")
    return between


@pytest.mark.parametrize("stage", STAGES)
def test_it_is_done_at_the_next_start(
    stage: str, moment: datetime, state: Path, patch: pytest.MonkeyPatch
) -> None:
    name = f"Killed-{stage}"
    command = [sys.executable, "-m", "tests.sandbox.azure.sql.killed", str(state), stage, name]
    child = subprocess.run([*command, moment.isoformat()], timeout=120, check=False)
    assert child.returncode == -signal.SIGKILL
    _end_what_it_left(state)
    with running(state, patch) as sql:
        until(lambda: _shown(sql, name).status, lambda status: status == "Online")
        assert rows(sql, name) == {"before"}
        shown = _shown(sql, name)
        assert shown.creation_date > moment
        assert not [one for one in in_cluster(sql) if one.startswith("azure_restore")]
        until(lambda: not list(sql.instance().folder.glob("restore.*")))
        assert not list(sql.instance().socket.glob("restore.*"))
        assert not [one for one in processes(state) if "restore." in _command(one)]


def _shown(sql: Sql, name: str) -> Any:
    """What Azure says; what it says is there has to be whole."""
    shown: Any = sql.arm.databases.get(GROUP, SERVER, name).properties
    if shown.status == "Online":
        assert rows(sql, name) == {"before"}
    return shown


def _end_what_it_left(state: Path) -> None:
    """The server's process, as a supervisor would; the restore's own ended with the cloud."""
    until(lambda: not [one for one in processes(state) if "restore." in _command(one)])
    pid = int((state / "sql" / SERVER / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGINT)
    until(lambda: not processes(state))


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
