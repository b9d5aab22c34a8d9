"""The image that Dockerfiles name as `python:3.11-slim-bookworm`, made from Debian's packages.

Like upstream's: Debian bookworm without extras, `python`, `python3` and `pip` in /usr/local/bin, apt usable,
certificates. Unlike it, Python is Debian's 3.11, so its patch level is Debian's.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain.buildah import Buildah, check_archive, recipe
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.shell import Shell
from sandbox.toolchain.step import EntryStep

_ARCHIVE = "python.tar"
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Kept out, as upstream's slim variant does.
_NO_DOCUMENTATION = """\
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
"""
_EMPTIED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
)


@dataclass(frozen=True, kw_only=True)
class PythonImageStep(EntryStep):
    image: str
    suite: str
    packages: tuple[str, ...]

    supersedes = True

    @property
    def name(self) -> str:
        return "python-image"

    @property
    def version(self) -> str:
        return recipe(self.image, self.suite, self.packages, Path(__file__))

    @property
    def disk(self) -> int:
        return 1500

    @property
    def remedy(self) -> str:
        return "Check that apt reaches its mirror (`apt-get update`) and that `debootstrap --version` works."

    @property
    def archive(self) -> Path:
        return self.entry.path / _ARCHIVE

    def build(self, target: Path, shell: Shell) -> None:
        with Buildah(target / "storage", shell) as buildah:
            container = buildah.create()
            root = buildah.mount(container)
            shell.run(
                # All its processes end with debootstrap, even a killed one, and its mounts with them.
                *("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"),
                "debootstrap",
                "--variant=minbase",
                f"--include={','.join(self.packages)}",
                self.suite,
                root,
                _mirror(self.suite),
                privileged=True,
            )
            _finish(root)
            version = shell.read("chroot", root, "python3", "-c", _PRINT_VERSION, privileged=True).strip()
            buildah.configure(
                container,
                command=["python3"],
                env={"PATH": _PATH, "LANG": "C.UTF-8", "PYTHON_VERSION": version},
            )
            buildah.save(container, self.image, target / _ARCHIVE)

    def verify(self, folder: Path) -> None:
        check_archive(folder / _ARCHIVE, self.image)


_PRINT_VERSION = "import platform; print(platform.python_version())"


def _mirror(suite: str) -> str:
    """The machine's own mirror of the release."""
    listing = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(CODENAME) $(COMPONENT) $(REPO_URI)",
            "Created-By: Packages",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in listing.stdout.splitlines():
        codename, component, uri = line.split(" ", 2)
        if codename == suite and component == "main":
            return uri
    raise ToolchainError(
        f"apt's sources name no mirror of {suite}",
        remedy=f"Add a line for {suite} main to /etc/apt/sources.list.",
    )


def _finish(root: Path) -> None:
    """Give the tree the names that upstream's image has, and drop what a container needs not."""
    for name, target in {"python": "python3", "python3": "python3", "pip": "pip3", "pip3": "pip3"}.items():
        (root / "usr/local/bin" / name).symlink_to(f"/usr/bin/{target}")
    # Debian forbids pip outside virtual environments; in upstream's image it may.
    for mark in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        mark.unlink()
    (root / "etc/dpkg/dpkg.cfg.d/docker").write_text(_NO_DOCUMENTATION)
    for name in _EMPTIED:
        for path in (root / name).rglob("*"):
            if not path.is_dir() and path.name != "copyright":
                path.unlink()
    (root / "etc/machine-id").unlink(missing_ok=True)
