"""buildah with a storage of its own, so that nothing of ours lies among the machine's images."""

from __future__ import annotations

import hashlib
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
        """Commit the container as `image` and write it as an OCI archive under that name."""
        self._run("commit", "--quiet", container, image)
        self._run("push", "--quiet", image, f"oci-archive:{archive}:{image}")
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


def recipe(*parts: object) -> str:
    """A digest of what an image is made from: values, and the code here and in the files named."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else repr(part).encode())
    return digest.hexdigest()[:8]


def check_archive(archive: Path, image: str) -> None:
    """Raise ToolchainError unless `archive` is whole and holds `image` under its name."""
    try:
        with tarfile.open(archive) as tar:
            file = tar.extractfile("index.json")
            manifests = json.load(file)["manifests"] if file is not None else []
            names = [manifest["annotations"][_REFERENCE] for manifest in manifests]
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        raise ToolchainError(f"{archive} is no image archive: {error}", remedy=_REMEDY) from None
    if image not in names:
        raise ToolchainError(f"{archive} holds {', '.join(names)}, not {image}", remedy=_REMEDY)


#: Where an OCI archive keeps an image's name.
_REFERENCE = "org.opencontainers.image.ref.name"
_REMEDY = "It is made anew by the next run."
