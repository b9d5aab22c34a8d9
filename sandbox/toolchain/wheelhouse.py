"""What the application's image installs, so that its build needs no package index: wheels, Debian packages.

A build that mounts `<folder>` at MOUNT and the files of CONFIGURATION at their places runs an ordinary
`pip install` and an ordinary `apt-get install` from it.
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
#: Files in the folder -> where a build finds them.
CONFIGURATION = {"pip.conf": "/etc/pip.conf", "sources.list": "/etc/apt/sources.list"}
# The packages were verified when they were downloaded; what lies here was indexed by us and is not signed.
_SOURCES = f"deb [trusted=yes] file:{MOUNT} ./\n"
_PIP_CONF = f"[global]\nno-index = true\nfind-links = {MOUNT}\ndisable-pip-version-check = true\n"


@dataclass(frozen=True, kw_only=True)
class WheelhouseStep(EntryStep):
    """`python` is the version inside the image; `requirements` come from the project's lock.

    `packages` are Debian's, with all that they need beyond what the base image holds.
    """

    project: Path
    pip: str
    python: str
    packages: tuple[str, ...]

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
        recipe = [self.requirements, self.pip, self.python, *self.packages, Path(__file__).read_text()]
        return hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:8]

    @property
    def disk(self) -> int:
        return 200

    @property
    def remedy(self) -> str:
        return "Check that pip and apt reach their package indexes, then run it again."

    def build(self, target: Path, shell: Shell) -> None:
        requirements = target / "requirements.txt"
        requirements.write_text(self.requirements)
        (target / "pip.conf").write_text(_PIP_CONF)
        (target / "sources.list").write_text(_SOURCES)
        for file in (requirements, *(target / name for name in CONFIGURATION)):
            as_owner(file)
        pip = [uv(), "tool", "run", "--python", str(base_python()), f"pip@{self.pip}"]
        limits = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--python-version", self.python]
        shell.run(*pip, "download", *limits, "--dest", target, "--requirement", requirements)
        self._download_packages(target, shell)

    def _download_packages(self, target: Path, shell: Shell) -> None:
        """The packages and their index; apt needs to know nothing more about a repository."""
        try:
            shell.run("apt-get", "download", *self.packages, folder=target)
        except CommandError:
            # A machine on which apt was never used knows no packages.
            shell.run("apt-get", "update", privileged=True)
            shell.run("apt-get", "download", *self.packages, folder=target)
        stanzas = [_stanza(file, shell) for file in sorted(target.glob("*.deb"))]
        (target / "Packages").write_text("\n".join(stanzas))
        as_owner(target / "Packages")

    def verify(self, folder: Path) -> None:
        kept = [*(folder / name for name in CONFIGURATION), folder / "Packages"]
        debs = {file.name.partition("_")[0] for file in folder.glob("*.deb")}
        whole = all(file.exists() for file in kept) and debs.issuperset(self.packages)
        if not whole or not list(folder.glob("*.whl")):
            raise ToolchainError(f"{folder} is not complete", remedy="It is made anew by the next run.")


def _stanza(file: Path, shell: Shell) -> str:
    """A package's entry in the index. https://wiki.debian.org/DebianRepository/Format"""
    control = shell.read("dpkg-deb", "--field", file).strip()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"{control}\nFilename: ./{file.name}\nSize: {file.stat().st_size}\nSHA256: {digest}\n"
