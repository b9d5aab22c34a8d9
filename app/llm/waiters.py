"""Those who wait for any provider to become available, first come first served."""

from __future__ import annotations

import asyncio
from collections import deque


class Waiters:
    """Wakes one at a time: whoever gets in, or gives up, wakes the next, so nobody runs into a full door."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    def wake(self) -> None:
        """Let the first one look again. Without anyone waiting, nothing."""
        while self._waiting:
            first = self._waiting.popleft()
            if not first.done():
                first.set_result(None)
                return

    async def wait(self, seconds: float) -> None:
        """Until woken, but no longer than this."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(woken)
        try:
            await asyncio.wait([woken], timeout=seconds)
        except asyncio.CancelledError:
            if woken.done():
                self.wake()
            raise
        finally:
            if not woken.done():
                self._waiting.remove(woken)
