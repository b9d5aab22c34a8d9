"""The kernel limits that several Kubernetes nodes on one machine exceed: raised by `up`, put back by `down`.

Only limits that are too low are touched. Sandboxes on one machine share them: each keeps a note of what they
were, and the last to go puts them back. Notes lie in memory, because a reboot puts the limits back too.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from sandbox.config import Config
from sandbox.host import files

_PROC, _NOTES = Path("/proc/sys"), Path("/run/agents-sandbox-kernel")
#: A containerd that gets no inotify instance starts without its Kubernetes half; a cluster of two nodes takes
#: about 40, and the kernel's default is 128 for all of root's processes.
LIMITS = {"fs/inotify/max_user_instances": 1024}


def raise_limits(config: Config) -> None:
    """Repeatable."""
    before = {name: _read(name) for name in LIMITS} | _noted()
    files.write_if_changed(_note(config), json.dumps(before))
    for name, value in LIMITS.items():
        if _read(name) < value:
            _write(name, value)


def restore_limits(config: Config) -> None:
    """Repeatable. What someone else has changed since stays as they left it."""
    before = _noted()
    _note(config).unlink(missing_ok=True)
    if _notes():
        return
    for name, value in before.items():
        if _read(name) == LIMITS.get(name):
            _write(name, value)
    with contextlib.suppress(OSError):  # there is none, or another sandbox comes up
        _NOTES.rmdir()


def _note(config: Config) -> Path:
    return _NOTES / f"{config.netns}.json"


def _notes() -> list[Path]:
    return sorted(_NOTES.glob("[!.]*.json"))


def _noted() -> dict[str, int]:
    """What the limits were before the first sandbox."""
    found: dict[str, int] = {}
    for note in _notes():
        for name, value in json.loads(note.read_text()).items():
            found[name] = min(value, found.get(name, value))
    return found


def _read(name: str) -> int:
    return int((_PROC / name).read_text())


def _write(name: str, value: int) -> None:
    (_PROC / name).write_text(f"{value}\n")
