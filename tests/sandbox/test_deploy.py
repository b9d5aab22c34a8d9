"""Deploying: a lock left by a killed pulumi is told from one of a living one, and answers are waited for."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import psutil
import pytest

from sandbox.config import Config
from sandbox.deploy import abandoned, environment
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


def test_the_lock_of_another_machine_is_respected(tmp_path: Path) -> None:
    _lock(tmp_path, hostname="elsewhere", pid=2**22 + 1)
    with pytest.raises(HostError, match="another pulumi"):
        abandoned(tmp_path, "dev")


def test_without_a_sandbox_the_remedy_is_told(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="uv run sandbox up"):
        environment(Config(state=tmp_path))
