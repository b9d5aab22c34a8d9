"""A stack's Pulumi state, put aside before a drill loses it: for putting right, never for the recovery."""

from __future__ import annotations

from pathlib import Path

from drills.shell import ROOT
from drills.stack import Stack

_FOLDER = ROOT / "drills" / "out"


def _file(stack: Stack, folder: Path) -> Path:
    return folder / f"kept-state-{stack.name}.json"


def keep(stack: Stack, folder: Path = _FOLDER) -> str:
    """The state; the file is there, whole, when it returns. Raises CommandError."""
    state = stack.pulumi("stack export").out
    folder.mkdir(parents=True, exist_ok=True)
    file = _file(stack, folder)
    draft = file.with_suffix(".tmp")
    draft.write_text(state, encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(file)
    return state


def forget(stack: Stack, folder: Path = _FOLDER) -> None:
    """The stack has a state of its own again."""
    _file(stack, folder).unlink(missing_ok=True)


def give_back(stack: Stack, folder: Path = _FOLDER) -> bool:
    """Whether there was one: a drill was killed before the stack had its own again. Raises CommandError."""
    file = _file(stack, folder)
    if not file.exists():
        return False
    stack.pulumi("stack select", "--create")
    stack.pulumi("cancel", "--yes", check=False)
    stack.pulumi("stack import", "--force", "--file", str(file))
    # What the drill did since is in Azure, and not in what was kept.
    stack.up("--refresh")
    forget(stack, folder)
    return True
