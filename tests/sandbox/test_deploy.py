"""Deploying: a lock left by a killed pulumi is told from one of a living one, and answers are waited for."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import certifi
import psutil
import pytest
from rich.console import Console

from sandbox.config import Config
from sandbox.deploy import Pulumi, abandoned, ask, environment, recover
from sandbox.host.errors import HostError


def _lock(backend: Path, **fields: object) -> None:
    folder = backend / ".pulumi" / "locks" / "organization" / "agents" / "dev"
    folder.mkdir(parents=True)
    described = {"pid": os.getpid(), "username": "x", "hostname": socket.gethostname(), **fields}
    (folder / "a.json").write_text(json.dumps(described))


def test_no_lock_is_no_hindrance(tmp_path: Path) -> None:
    assert not abandoned(tmp_path, "dev")


def test_the_lock_of_a_process_that_is_gone_is_stale(tmp_path: Path) -> None:
    _lock(tmp_path, pid=2**22 + 1)
    assert abandoned(tmp_path, "dev")


def test_the_lock_of_an_id_that_now_is_another_program_is_stale(tmp_path: Path) -> None:
    _lock(tmp_path)
    assert abandoned(tmp_path, "dev")


def test_the_lock_of_a_living_pulumi_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lock(tmp_path)
    monkeypatch.setattr(psutil.Process, "name", lambda _: "pulumi")
    with pytest.raises(HostError, match="another pulumi is at work on dev"):
        abandoned(tmp_path, "dev")


def test_the_lock_of_a_pulumi_that_was_killed_but_not_reaped_is_stale(tmp_path: Path) -> None:
    program = shutil.copy(shutil.which("true") or "", tmp_path / "pulumi")
    process = subprocess.Popen([program])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    _lock(tmp_path, pid=process.pid)
    assert abandoned(tmp_path, "dev")
    process.wait()


def test_the_lock_of_another_machine_is_respected(tmp_path: Path) -> None:
    _lock(tmp_path, hostname="elsewhere", pid=2**22 + 1)
    with pytest.raises(HostError, match="another pulumi"):
        abandoned(tmp_path, "dev")


def _fake_pulumi(folder: Path, deployment: object) -> Pulumi:
    """Notes what it is asked; its stack's state is `deployment`."""
    program = folder / "pulumi"
    state = json.dumps({"version": 3, "deployment": deployment})
    program.write_text(f'#!/bin/sh\necho "$2" >> {folder}/asked\n[ "$2" != stack ] || echo \'{state}\'\n')
    program.chmod(0o755)
    return Pulumi({"PATH": f"{folder}:{os.environ['PATH']}"})


@pytest.mark.parametrize(
    ("pending", "killed", "asked"),
    [
        (False, False, ["stack"]),
        (True, False, ["stack", "refresh"]),
        (True, True, ["cancel", "stack", "refresh"]),
    ],
)
def test_what_a_killed_pulumi_left_is_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, pending: bool, killed: bool, asked: list[str]
) -> None:
    operations = [{"resource": {"urn": "urn:pulumi:dev::agents::a:b:C::d"}, "type": "creating"}]
    pulumi = _fake_pulumi(tmp_path, {"pending_operations": operations} if pending else None)
    # The child is started by the parent's PATH.
    monkeypatch.setenv("PATH", pulumi.env["PATH"])
    if killed:
        _lock(tmp_path, pid=2**22 + 1)
    recover(pulumi, tmp_path, Console())
    assert (tmp_path / "asked").read_text().split() == asked


def test_without_a_sandbox_the_remedy_is_told(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="uv run sandbox up"):
        environment(Config(state=tmp_path))


class _Agent(http.server.BaseHTTPRequestHandler):
    """Answers with the next of `codes`; the last one again and again."""

    codes: ClassVar[list[int]]
    asked: ClassVar[list[object]]

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        code = self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]
        body = json.dumps({"output": {"subject": "hello"}} if code == 200 else {"title": "broken"}).encode()
        self.send_response(code)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(_Agent, "codes", [], raising=False)
    monkeypatch.setattr(_Agent, "asked", [], raising=False)
    with http.server.HTTPServer(("127.0.0.1", 0), _Agent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/notification/execute"
        server.shutdown()
        thread.join()


def test_an_agent_that_is_not_reachable_yet_is_waited_for(agent: str) -> None:
    _Agent.codes.extend([503, 200])
    answer = ask(agent, Path(certifi.where()))
    assert answer == {"output": {"subject": "hello"}}
    assert len(_Agent.asked) == 2


def test_an_agent_that_refuses_is_not_asked_again(agent: str) -> None:
    _Agent.codes.append(422)
    with pytest.raises(HostError, match=r"does not answer: 422 .*broken"):
        ask(agent, Path(certifi.where()))
    assert len(_Agent.asked) == 1
