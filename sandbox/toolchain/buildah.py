"""buildah with a storage of its own, so that nothing of ours lies among the machine's images."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.shell import Shell, as_owner


class Buildah:
    """Works as root. Use as a context manager: it removes the storage at the end."""

    def __init__(self, storage: Path, shell: Shell) -> None:
        self._storage = storage
        self._shell = shell

    def __enter__(self) -> Buildah:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._storage, ignore_errors=True)

    def create(self) -> str:
        """A container from nothing; its id."""
        return self._run("from", "scratch").strip()

    def mount(self, container: str) -> Path:
        """The container's root folder, for writing."""
        return Path(self._run("mount", container).strip())

    def copy(self, container: str, folder: Path) -> None:
        """What `folder` holds, to the container's root, owned by root."""
        self._run("copy", "--chown", "0:0", container, folder, "/")

    def configure(
        self,
        container: str,
        *,
        entrypoint: Sequence[str] = (),
        command: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        options: list[str | Path] = [f"--env={name}={value}" for name, value in (env or {}).items()]
        if entrypoint:
            options.append(f"--entrypoint={json.dumps(list(entrypoint))}")
        if command:
            options.append(f"--cmd={json.dumps(list(command))}")
        self._run("config", *options, container)

    def save(self, container: str, image: str, archive: Path) -> None:
        """Commit the container as `image` and write an archive that `ctr` and `buildah` import by name."""
        self._run("commit", "--quiet", container, image)
        self._run("push", "--quiet", image, f"docker-archive:{archive}:{image}")
        self._run("rm", container)
        as_owner(archive)

    def _run(self, command: str, *arguments: str | Path) -> str:
        # vfs needs no file system of a particular kind below it.
        options: list[str | Path] = [
            "--root",
            self._storage / "root",
            "--runroot",
            self._storage / "run",
            "--storage-driver",
            "vfs",
        ]
        return self._shell.read("buildah", *options, command, *arguments, privileged=True)


def check_archive(archive: Path, image: str) -> None:
    """Raise ToolchainError unless `archive` is whole and holds `image` under its name."""
    try:
        with tarfile.open(archive) as tar:
            manifest = tar.extractfile("manifest.json")
            entries = json.load(manifest) if manifest is not None else []
            names = [name for entry in entries for name in entry["RepoTags"]]
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        raise ToolchainError(f"{archive} is no image archive: {error}", remedy=_REMEDY) from None
    if image not in names:
        raise ToolchainError(f"{archive} holds {', '.join(names)}, not {image}", remedy=_REMEDY)


_REMEDY = "It is made anew by the next run."
