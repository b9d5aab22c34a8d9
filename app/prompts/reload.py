"""Hot reload of a folder, as the kubelet updates a mounted ConfigMap: `..data` is pointed to a new folder.

https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Generic, TypeVar

from app.dependency import DependencyError
from app.telemetry.metrics import PROMPT_RELOADS, PROMPTS_STALE

log = logging.getLogger(__name__)
T = TypeVar("T")

_State = tuple[tuple[str, int, int], ...]


class Watched(Generic[T]):
    """`current` is what the folder held when it last could be used; a broken change never takes its place.

    A dependency of the health report: unhealthy, with the reason, while the folder holds what is not used.
    """

    name = "prompts"

    def __init__(self, agent: str, folder: Path, load: Callable[[Path], T]) -> None:
        """Raises PromptError when even the first content cannot be used."""
        self._agent, self._folder, self._load = agent, folder, load
        self._seen, self._error = _state(folder), ""
        self.current = load(folder)
        PROMPTS_STALE.labels(agent).set(0)

    def refresh(self) -> None:
        """Take over what has changed, if it can be used. Reads files: not for the event loop."""
        try:
            found = _state(self._folder)
            if found == self._seen and not self._error:
                return
            self.current = self._load(self._folder)
        except Exception as error:  # noqa: BLE001 - whatever is in a file must not end the watch
            # Tried again every time: a file may be half written, or its fellow still to come.
            if str(error) != self._error:
                log.error("the prompts have changed and cannot be used, the former stay: %s", error)  # noqa: TRY400
                PROMPT_RELOADS.labels(self._agent, "refused").inc()
            self._error = str(error)
            PROMPTS_STALE.labels(self._agent).set(1)
            return
        self._seen, self._error = found, ""
        log.info("the prompts have changed and are in use")
        PROMPT_RELOADS.labels(self._agent, "accepted").inc()
        PROMPTS_STALE.labels(self._agent).set(0)

    @asynccontextmanager
    async def watching(self, seconds: float) -> AsyncIterator[None]:
        """Refresh every so many seconds meanwhile."""

        async def watch() -> None:
            while True:
                await asyncio.sleep(seconds)
                await asyncio.to_thread(self.refresh)

        task = asyncio.create_task(watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def check(self) -> None:
        """Raises DependencyError while a change is refused."""
        if self._error:
            raise DependencyError(f"the former prompts stay in use: {self._error}")

    async def close(self) -> None: ...


def _state(folder: Path) -> _State:
    """Names, times and sizes of all files; those of a ConfigMap are new files after every update."""
    found = []
    for file in sorted(folder.iterdir()):
        if file.is_file():
            stat = file.stat()
            found.append((file.name, stat.st_mtime_ns, stat.st_size))
    return tuple(found)
