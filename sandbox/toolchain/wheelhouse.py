"""The wheels that the application's image installs, so that its build needs no package index.

A build that mounts `<folder>` at MOUNT and `<folder>/pip.conf` at /etc/pip.conf runs an ordinary
`pip install` from them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.shell import CommandError, Shell, as_owner, base_python, query, uv
from sandbox.toolchain.step import EntryStep

MOUNT = Path("/var/cache/wheelhouse")
_PIP_CONF = f"[global]\nno-index = true\nfind-links = {MOUNT}\ndisable-pip-version-check = true\n"


@dataclass(frozen=True, kw_only=True)
class WheelhouseStep(EntryStep):
    """`python` is the version inside the image; `requirements` come from the project's lock."""

    project: Path
    pip: str
    python: str

    supersedes = True

    @property
    def name(self) -> str:
        return "wheelhouse"

    @cached_property
    def requirements(self) -> str:
        """The locked dependencies of the application, with their hashes."""
        options = ["--frozen", "--only-group", "app", "--no-emit-project", "--no-header", "--quiet"]
        try:
            return query(uv(), "export", *options, folder=self.project)
        except (OSError, CommandError) as error:
            remedy = "Run it with uv (`uv run sandbox up`); `uv lock` repairs the lock."
            raise ToolchainError(
                f"The application's dependencies are not known: {error}", remedy=remedy
            ) from None

    @property
    def version(self) -> str:
        recipe = [self.requirements, self.pip, self.python, Path(__file__).read_text()]
        return hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:8]

    @property
    def disk(self) -> int:
        return 200

    @property
    def remedy(self) -> str:
        return "Check that pip reaches its package index, then run it again."

    def build(self, target: Path, shell: Shell) -> None:
        requirements = target / "requirements.txt"
        requirements.write_text(self.requirements)
        (target / "pip.conf").write_text(_PIP_CONF)
        as_owner(requirements)
        as_owner(target / "pip.conf")
        pip = [uv(), "tool", "run", "--python", str(base_python()), f"pip@{self.pip}"]
        limits = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--python-version", self.python]
        shell.run(*pip, "download", *limits, "--dest", target, "--requirement", requirements)

    def verify(self, folder: Path) -> None:
        if not (folder / "pip.conf").exists() or not list(folder.glob("*.whl")):
            raise ToolchainError(f"{folder} is not complete", remedy="It is made anew by the next run.")
