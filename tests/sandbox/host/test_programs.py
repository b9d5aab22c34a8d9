"""Real programs under the real supervisor: started, killed, stopped and forgotten."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from sandbox.config import Config
from sandbox.host import network, programs, session, supervisor
from sandbox.host.cgroup import Cgroup
from sandbox.host.errors import HostError
from sandbox.host.supervisor import AsyncSupervisor, Programs
from sandbox.services import Program

pytestmark = pytest.mark.live


def _pid(supervised: Programs, name: str) -> int:
    return int(supervised.details()[name]["pid"])


def test_a_program_runs_where_and_as_it_was_told(machine: Config, supervised: Programs) -> None:
    network.create(machine)
    script = 'echo "$A $HOME $(id -un) $(pwd)"; ip -o addr show azure0 | head -1; exec sleep 999'
    supervised.start(
        Program(
            "where",
            ["sh", "-c", script],
            netns=machine.netns,
            env={"A": "it's ;# 100%"},
            directory=Path("/usr"),
            user="nobody",
        )
    )
    log = programs.log_path(machine, "where").read_text()
    assert log.startswith("it's ;# 100% /nonexistent nobody /usr\n")
    assert "10.79.0.1/16" in log
    assert _pid(supervised, "where") in Cgroup(machine.cgroup).pids()


def test_start_changes_nothing_unless_the_definition_did(supervised: Programs) -> None:
    supervised.start(Program("p", ["sleep", "998"]))
    first = _pid(supervised, "p")
    supervised.start(Program("p", ["sleep", "998"]))
    assert _pid(supervised, "p") == first
    supervised.start(Program("p", ["sleep", "999"]))
    assert _pid(supervised, "p") != first
    assert session.birth(first) is None


def test_stop_ends_and_forgets(machine: Config, supervised: Programs) -> None:
    supervised.start(Program("p", ["sleep", "999"]))
    pid = _pid(supervised, "p")
    supervised.stop("p")
    supervised.stop("p")
    assert supervised.details() == {}
    assert session.birth(pid) is None
    assert not list(programs.sections(machine).iterdir())


def test_a_killed_program_comes_back(supervised: Programs) -> None:
    program = Program("p", ["sleep", "999"])
    supervised.start(program)
    first = _pid(supervised, "p")
    os.kill(first, signal.SIGKILL)
    while (info := supervised.details()["p"])["pid"] in {0, first} or info["statename"] != "RUNNING":
        supervised.start(program)
    assert Path(f"/proc/{info['pid']}").exists()


def test_a_program_that_does_not_start_shows_its_last_words(supervised: Programs) -> None:
    with pytest.raises(HostError, match=r"p does not start.*\n.*my last words"):
        supervised.start(Program("p", ["sh", "-c", "echo my last words; exit 3"]))


async def test_the_asynchronous_face_does_the_same(machine: Config, supervised: Programs) -> None:
    face = AsyncSupervisor(machine)
    await face.start(Program("p", ["sleep", "999"]))
    assert await face.status() == {"p": "RUNNING"}
    await face.stop("p")
    assert await face.status() == {}


def test_a_path_too_long_for_a_socket_is_refused(machine: Config, tmp_path: Path) -> None:
    long = Config(state=tmp_path / ("x" * 100), netns=machine.netns, network=machine.network)
    with pytest.raises(HostError, match="too long for a socket"):
        supervisor.launch(long)


def test_no_supervisor_is_told_from_a_live_one(machine: Config) -> None:
    assert not Programs(machine).is_alive()
    with pytest.raises(HostError, match="sandbox up"):
        Programs(machine).details()
