"""When something works again: asked all the time, from the failure on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

#: Seconds between two looks: what a figure may be too long by.
_PAUSE = 0.25


class Watch:
    """Use it as a context. `works` says no, rather than raising, while it does not."""

    def __init__(self, works: Callable[[], bool], now: Callable[[], datetime]) -> None:
        self.since: datetime | None = None
        self._works, self._now = works, now
        self._stop, self._seen = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(60)

    def wait(self, seconds: float) -> datetime:
        """When it worked first. Raises TimeoutError if it does not within so many seconds from now."""
        if not self._seen.wait(seconds) or self.since is None:
            raise TimeoutError(f"nothing works again after another {seconds:.0f} s")
        return self.since

    def _look(self) -> None:
        while not self._stop.is_set():
            if self._works():
                self.since = self._now()
                self._seen.set()
                return
            self._stop.wait(_PAUSE)
