"""One build: unpack the context, build it with buildah, push what came of it to the registry."""

from __future__ import annotations

import asyncio
import base64
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

from sandbox.azure.containerregistry.callers import TASK_USER, task_password
from sandbox.azure.containerregistry.tasks import store
from sandbox.azure.containerregistry.tasks.buildah import Buildah, BuildahError, authfile
from sandbox.azure.containerregistry.tasks.log import Log
from sandbox.azure.containerregistry.tasks.run import Run
from sandbox.azure.containerregistry.tasks.storage import TaskStorage
from sandbox.config import Config
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.toolchain import Toolchain
from sandbox.toolchain.wheelhouse import CONFIGURATION, MOUNT


class BuildFailedError(Exception):
    """The build, not the service, is at fault; the log says more."""


class Builder:
    def __init__(
        self,
        config: Config,
        storage: TaskStorage,
        run: Run,
        log: Log,
        refused: Callable[[Run], str | None],
    ) -> None:
        self._config = config
        self._storage = storage
        self._asked = run
        self._log = log
        self._refused = refused
        self._buildah = Buildah(config)
        self._work = config.state / "builds" / "work" / f"{run.registry}-{run.id}"

    async def run(self) -> list[dict[str, str]]:
        """Build and push: the images pushed, as a run reports them. Raises BuildFailedError."""
        try:
            await asyncio.to_thread(self._unpack)
            toolchain = await asyncio.to_thread(Toolchain.load, self._config)
            for name in await store.prepare(self._config):
                self._log.say(f"Added the trusted root certificate to {name}")
            credentials = f"{TASK_USER}:{task_password(self._config, self._asked.registry)}".encode()
            auth = authfile(
                self._work / "auth.json", self._asked.login_server, base64.b64encode(credentials).decode()
            )
            await self._build(auth, toolchain.wheelhouse)
            return (
                [await self._push(image, auth) for image in self._asked.build.images]
                if self._asked.build.push
                else []
            )
        except (BuildahError, ToolchainError) as error:
            raise BuildFailedError(str(error)) from error
        finally:
            await asyncio.to_thread(shutil.rmtree, self._work, True)

    @property
    def _context(self) -> Path:
        return self._work / "context"

    def _unpack(self) -> None:
        build = self._asked.build
        shutil.rmtree(self._work, ignore_errors=True)
        self._context.mkdir(parents=True)
        self._work.chmod(0o700)
        self._log.say("Downloading source code...")
        try:
            with tarfile.open(self._storage.file(self._asked.registry, build.source)) as archive:
                archive.extractall(self._context, filter="data")
        except FileNotFoundError:
            raise BuildFailedError(f"the source {build.source} was never uploaded") from None
        except (tarfile.TarError, OSError, EOFError) as error:
            raise BuildFailedError(f"the source {build.source} cannot be unpacked: {error}") from error
        dockerfile = (self._context / build.dockerfile).resolve()
        if not dockerfile.is_relative_to(self._context.resolve()) or not dockerfile.is_file():
            raise BuildFailedError(f"the context has no Dockerfile {build.dockerfile}")
        self._log.say("Finished downloading source code")

    async def _build(self, auth: Path, wheelhouse: Path) -> None:
        build = self._asked.build
        arguments = [
            "--file",
            str(self._context / build.dockerfile),
            "--pull=missing",
            "--authfile",
            str(auth),
        ]
        arguments += ["--no-cache"] if build.no_cache else ["--layers"]
        for image in build.images:
            arguments += ["--tag", self._reference(image)]
        for name, value in build.arguments:
            arguments += ["--build-arg", f"{name}={value}"]
        if build.target:
            arguments += ["--target", build.target]
        # pip and apt need no package index: they are told to look for packages where they are mounted.
        configuration = [(wheelhouse / name, place) for name, place in CONFIGURATION.items()]
        for source, place in ((wheelhouse, MOUNT), *configuration):
            arguments += ["--volume", f"{source}:{place}:ro"]
        self._log.say("Building the image")
        async for line in self._buildah.lines("bud", *arguments, str(self._context)):
            self._log.write(line)
        self._log.say("Successfully executed container: build")

    def _reference(self, image: str) -> str:
        return f"{self._asked.login_server}/{image}"

    async def _push(self, image: str, auth: Path) -> dict[str, str]:
        reference = self._reference(image)
        digest = self._work / "digest"
        self._log.say(f"Pushing image: {reference}")
        if (why := self._refused(self._asked)) is not None:
            raise BuildFailedError(f"failed to push {reference}: denied: {why}")
        arguments = ("--authfile", str(auth), "--digestfile", str(digest), reference, f"docker://{reference}")
        async for line in self._buildah.lines("push", *arguments):
            self._log.write(line)
        repository, _, tag = image.partition(":")
        self._log.say(f"Successfully pushed image: {reference}")
        return {
            "registry": self._asked.login_server,
            "repository": repository,
            "tag": tag or "latest",
            "digest": digest.read_text().strip(),
        }
