"""What a running sandbox knows about itself: `run/session.json`, written by `up`, gone after `down`.

It is what `sandbox env` prints from, so the user it belongs to can read it (it holds the deployer's secret)
and nobody else.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.config import Config, invoking_user
from sandbox.host import files


@dataclass(frozen=True)
class Session:
    """`started` is in seconds since 1970; `supervisor` and `born` identify supervisord among all processes
    that ever have that id; `tools` are the folders that go first on PATH.
    """

    started: float
    supervisor: int
    born: float
    tools: list[str]
    ports: dict[str, int]
    variables: dict[str, str]

    def is_running(self) -> bool:
        """Whether its supervisord still lives; needs no privilege."""
        return birth(self.supervisor) == self.born


def birth(pid: int) -> float | None:
    """When a process started, by the kernel's clock; None if there is none."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def path(config: Config) -> Path:
    return config.run / "session.json"


def load(config: Config) -> Session | None:
    """The session on file, whether or not it still runs. Raises PermissionError for other users."""
    try:
        return Session(**json.loads(path(config).read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None


def save(config: Config, session: Session) -> None:
    owner = invoking_user()
    text = json.dumps(dataclasses.asdict(session), indent=2)
    files.write_if_changed(path(config), text, mode=0o600, owner=(owner.pw_uid, owner.pw_gid))
