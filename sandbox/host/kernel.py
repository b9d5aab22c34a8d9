"""The kernel limits that several Kubernetes nodes on one machine exceed: raised by `up`, put back by `down`.

Only limits that are too low are touched; what each was is kept in the state folder until it is put back.
"""

from __future__ import annotations

import json
from pathlib import Path

from sandbox.config import Config
from sandbox.host import files

_PROC = Path("/proc/sys")
#: A containerd that gets no inotify instance starts without its Kubernetes half; a cluster of two nodes takes
#: about 40, and the kernel's default is 128 for all of root's processes.
LIMITS = {"fs/inotify/max_user_instances": 1024}


def raise_limits(config: Config) -> None:
    """Repeatable; a limit that was raised before keeps its first note."""
    note = _note(config)
    before: dict[str, int] = json.loads(note.read_text()) if note.is_file() else {}
    low = {name: value for name in LIMITS if (value := _read(name)) < LIMITS[name]}
    if low:
        files.write(note, json.dumps({**low, **before}))
        for name in low:
            _write(name, LIMITS[name])


def restore_limits(config: Config) -> None:
    """What someone else has changed since stays as they left it."""
    note = _note(config)
    if note.is_file():
        for name, value in json.loads(note.read_text()).items():
            if _read(name) == LIMITS.get(name):
                _write(name, value)
        note.unlink()


def _note(config: Config) -> Path:
    return config.state / "kernel.json"


def _read(name: str) -> int:
    return int((_PROC / name).read_text())


def _write(name: str, value: int) -> None:
    (_PROC / name).write_text(f"{value}\n")
