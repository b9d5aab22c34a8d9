"""Runs buildah on a store of the sandbox's own: never the user's, and never reaching for an outside registry.

Builds run as chroots in the Azure process's network namespace. The store keeps layers between builds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox.config import Config
from sandbox.host.files import write_if_changed

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Without `skip_mount_home` the driver bind-mounts its folder on itself and leaves that behind.
_STORAGE = """\
[storage]
driver = "{driver}"
graphroot = "{root}/storage"
runroot = "{run}/buildah"
[storage.options.overlay]
skip_mount_home = "true"
"""
#: Base images come from the store. docker.io is where a short name points, and cannot be reached from here.
_REGISTRIES = """\
unqualified-search-registries = ["docker.io"]
short-name-mode = "permissive"
[[registry]]
location = "docker.io"
blocked = true
"""
#: Namespaces of its own for mounts and processes: a build that is killed, or whose killer was killed, leaves
#: neither what it had mounted nor what it had started.
_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_POLICY = {"default": [{"type": "insecureAcceptAnything"}]}


class BuildahError(Exception):
    """A command failed; the text is the end of what it said."""


class Buildah:
    def __init__(self, config: Config, *, storage: str = "storage.conf") -> None:
        self._config = config
        self._root = config.state / "builds"
        self._storage = self._root / storage

    async def prepare(self) -> None:
        """Write the settings; where the file system cannot stack overlays, use plain copies."""
        await asyncio.to_thread(write_if_changed, self._root / "registries.conf", _REGISTRIES)
        await asyncio.to_thread(write_if_changed, self._root / "policy.json", json.dumps(_POLICY))
        if self._storage.is_file():
            return
        for driver in ("overlay", "vfs"):
            settings = _STORAGE.format(driver=driver, root=self._root, run=self._config.run)
            # Tried under another name: only what works becomes the store's settings.
            trial = Buildah(self._config, storage=f"{driver}.conf")
            write_if_changed(trial._storage, settings)
            try:
                await trial.capture("info")
            except BuildahError:
                if driver == "vfs":
                    raise
            else:
                write_if_changed(self._storage, settings)
                return

    def _environment(self) -> dict[str, str]:
        scratch = self._root / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": _PATH,
            "HOME": str(self._root),
            "XDG_RUNTIME_DIR": str(self._config.run),
            "TMPDIR": str(scratch),
            "BUILDAH_ISOLATION": "chroot",
            "CONTAINERS_STORAGE_CONF": str(self._storage),
            "CONTAINERS_REGISTRIES_CONF": str(self._root / "registries.conf"),
            "SSL_CERT_FILE": str(self._config.ca_bundle),
        }

    @asynccontextmanager
    async def _process(
        self, arguments: Sequence[str], *, merge: bool
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """A buildah that is gone when the block is left, however, and dies with this process."""
        process = await asyncio.create_subprocess_exec(
            "setpriv",
            "--pdeathsig",
            "KILL",
            *_NAMESPACES,
            "buildah",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if merge else asyncio.subprocess.PIPE,
            env=self._environment(),
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    async def capture(self, command: str, *arguments: str) -> str:
        """Standard output of a command. Raises BuildahError."""
        async with self._process((command, *self._options(command), *arguments), merge=False) as process:
            out, err = await process.communicate()
        if process.returncode != 0:
            raise BuildahError(err.decode(errors="replace").strip()[-2000:] or f"buildah {command} failed")
        return out.decode(errors="replace").strip()

    async def lines(self, command: str, *arguments: str) -> AsyncIterator[str]:
        """What a command says, line by line, as it says it. Raises BuildahError when it fails."""
        last = ""
        async with self._process((command, *self._options(command), *arguments), merge=True) as process:
            assert process.stdout is not None  # noqa: S101
            while raw := await _line(process.stdout):
                text = raw.decode(errors="replace").rstrip("\r\n")
                last = text or last
                yield text
            code = await process.wait()
        if code != 0:
            raise BuildahError(last or f"buildah {command} ended with {code}")

    def _options(self, command: str) -> tuple[str, ...]:
        """Where the command takes it: which signatures are asked for (none)."""
        if command in {"bud", "push", "from", "commit"}:
            return ("--signature-policy", str(self._root / "policy.json"))
        return ()


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line; of one longer than the reader's limit, the next piece."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as overrun:
        return await stream.readexactly(overrun.consumed)


def authfile(path: Path, login_server: str, credentials: str) -> Path:
    """Write base64 credentials for one registry in the form buildah reads."""
    write_if_changed(path, json.dumps({"auths": {login_server: {"auth": credentials}}}), mode=0o600)
    return path
