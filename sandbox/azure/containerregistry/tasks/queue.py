"""Builds one after another: they share one store of layers and two cores with everything else."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

from sandbox.azure.containerregistry.folder import Folder
from sandbox.azure.containerregistry.tasks import store
from sandbox.azure.containerregistry.tasks.buildah import BuildahError
from sandbox.azure.containerregistry.tasks.builder import Builder, BuildFailedError
from sandbox.azure.containerregistry.tasks.log import Log
from sandbox.azure.containerregistry.tasks.run import OUTCOMES, Run, RunFiles
from sandbox.azure.containerregistry.tasks.storage import TaskStorage
from sandbox.config import Config
from sandbox.toolchain.errors import ToolchainError

log = logging.getLogger(__name__)


class Queue:
    def __init__(self, config: Config, storage: TaskStorage, refused: Callable[[Run], str | None]) -> None:
        """`refused`: why a run's registry does not take its push, asked when there is something to push."""
        self._config = config
        self._storage = storage
        self._refused = refused
        self._waiting: deque[Run] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._current: tuple[str, str] | None = None
        self._build: asyncio.Task[None] | None = None
        self._preparing: asyncio.Task[None] | None = None
        #: Held by whoever uses the store.
        self._store = asyncio.Lock()

    def prepare(self) -> None:
        """Have base images ready before the first build asks for them; once, in the background."""
        if self._preparing is None:
            self._preparing = asyncio.create_task(self._prepare())

    async def _prepare(self) -> None:
        async with self._store:
            try:
                await store.prepare(self._config)
            except (BuildahError, ToolchainError) as error:
                log.warning("base images are not prepared, the first build tries again: %s", error)

    def add(self, run: Run) -> None:
        self._waiting.append(run)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def cancel(self, run: Run) -> None:
        """End a run, running or waiting; a no-op when it has ended."""
        key = (run.registry, run.id)
        if self._current == key and self._build is not None:
            self._build.cancel()
            await asyncio.wait([self._build])
            left = RunFiles(Folder.of(self._config, run.registry)).get(run.id)
            if left is not None and not left.done:
                # Cancelled before it took its first step.
                self._finish(left, "Canceled", None)
            return
        waiting = [item for item in self._waiting if (item.registry, item.id) == key]
        for item in waiting:
            self._waiting.remove(item)
            self._finish(item, "Canceled", None)

    async def stop(self) -> None:
        """End the worker; what it was at stays unfinished and is queued again at the next start."""
        tasks = [task for task in (self._worker, self._build, self._preparing) if task is not None]
        if self._worker is not None:
            self._worker.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            run = self._waiting.popleft()
            self._current = (run.registry, run.id)
            self._build = asyncio.create_task(self._run(run))
            try:
                # Waiting does not end the build when it is the build that is cancelled.
                await asyncio.wait([self._build])
            finally:
                self._current = None

    async def _run(self, run: Run) -> None:
        run = run.changed(status="Running", started=time.time())
        self._save(run)
        lines = self._log(run)
        lines.begin()
        status, error = "Failed", None
        images: list[dict[str, str]] = []
        try:
            async with self._store, asyncio.timeout(run.build.timeout):
                images = await Builder(self._config, self._storage, run, lines, self._refused).run()
            status = "Succeeded"
        except TimeoutError:
            status, error = "Timeout", f"the build took longer than {run.build.timeout} s"
        except asyncio.CancelledError:
            if self._worker is None or self._worker.cancelling():
                raise
            status = "Canceled"
        except BuildFailedError as failed:
            error = str(failed)
        except Exception as unexpected:
            log.exception("run %s of registry %s", run.id, run.registry)
            error = f"internal error: {unexpected}"
        self._finish(run.changed(output_images=tuple(images)), status, error)

    def _finish(self, run: Run, status: str, error: str | None) -> None:
        now = time.time()
        seconds = now - (run.started or now)
        words = {
            "Succeeded": "was successful",
            "Failed": "failed",
            "Canceled": "was canceled",
            "Timeout": "timed out",
        }
        lines = self._log(run)
        if not run.started:
            lines.begin()
        lines.say(
            f"Run ID: {run.id} {words[status]} after {seconds:.0f}s{f', error: {error}' if error else ''}"
        )
        self._save(run.changed(status=status, finished=now, error=error))
        lines.complete(OUTCOMES[status])
        self._storage.file(run.registry, run.build.source).unlink(missing_ok=True)

    def _log(self, run: Run) -> Log:
        return Log(self._storage.file(run.registry, f"logs/{run.id}.log"))

    def _save(self, run: Run) -> None:
        folder = Folder.of(self._config, run.registry)
        if folder.root.is_dir():
            RunFiles(folder).save(run)
