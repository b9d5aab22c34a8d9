"""The commit that a change is compared with."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

#: Where a change is going to, unless it says so; the first of these that exists.
_TARGETS = ("origin/main", "main")
#: What GitHub calls the commit before the first.
_NOTHING = "0" * 40


class BaselineError(RuntimeError):
    """Git does not know the commit; the message says what to do."""


@dataclass(frozen=True)
class Baseline:
    """A commit of the repository at `root`. Paths are relative to `root`."""

    root: Path
    commit: str

    def read(self, path: str) -> str | None:
        """A file's text in the commit; None when it is not in it."""
        done = _git(self.root, "show", f"{self.commit}:{path}")
        return done.stdout if done.returncode == 0 else None

    def files(self, folder: str) -> list[str]:
        """Paths of all files below a folder in the commit."""
        done = _git(self.root, "ls-tree", "-r", "--name-only", self.commit, f"{folder}/")
        return done.stdout.splitlines()


def find(root: Path, target: str | None = None) -> Baseline:
    """Where this change left the branch it is going to. Raises BaselineError."""
    for candidate in (target,) if target and target != _NOTHING else _TARGETS:
        done = _git(root, "merge-base", "HEAD", candidate)
        if done.returncode == 0:
            return Baseline(root, done.stdout.strip())
    named = target or " nor ".join(_TARGETS)
    raise BaselineError(
        f"{named} shares no commit with this one: name what to compare with (--base), and fetch its history "
        "(git fetch --unshallow) where the clone is shallow"
    )


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
