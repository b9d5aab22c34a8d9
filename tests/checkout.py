"""A clone of HEAD that lies in the place of this checkout, for the commands that are run in it alone.

For tests that change files or check out commits: where a program lies is a part of what it declares, so that
a clone elsewhere would not be the same program. Needs root, as the sandbox does.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_MOUNTED = 'mount --bind "$1" "$2" && cd "$2" && exec bash --noprofile --norc -eo pipefail -c "$3"'


@dataclass(frozen=True)
class Checkout:
    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Checkout:
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
        return cls(folder)

    @staticmethod
    def uncommitted() -> bool:
        """Whether this checkout holds what a clone of it does not."""
        return bool(_git(ROOT, "status", "--porcelain"))

    @property
    def head(self) -> str:
        return _git(self.folder, "rev-parse", "HEAD")

    def run(self, script: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run bash as a runner does; stderr goes where stdout goes."""
        return subprocess.run(
            ["unshare", "--mount", "bash", "-c", _MOUNTED, "bash", str(self.folder), str(ROOT), script],
            env={**environment, "GIT_CONFIG_GLOBAL": f"{self.folder}.gitconfig"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1500,
            check=False,
        )

    def change(self, path: str, before: str, after: str) -> None:
        """Replace a text in a file, which must hold it."""
        file = self.folder / path
        text = file.read_text()
        assert before in text, f"{path} does not hold {before!r} any more"
        file.write_text(text.replace(before, after))

    def restore(self) -> None:
        _git(self.folder, "checkout", "-q", ".")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()
