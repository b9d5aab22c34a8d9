"""Work beside the requests: loops that end when they are cancelled or told to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)
_AFTER_DEFECT_SECONDS = 1.0


async def keep(name: str, work: Callable[[], Awaitable[None]], stopping: asyncio.Event | None = None) -> None:
    """Do `work` again and again; a defect in it is logged, and does not end it for good.

    Ends when it is cancelled, which cuts `work` off, or after the one that runs when `stopping` is set.
    """
    stopping = stopping or asyncio.Event()
    while not stopping.is_set():
        try:
            await work()
        except Exception:
            log.exception("%s failed", name)
            await rest(_AFTER_DEFECT_SECONDS, stopping)


async def rest(seconds: float, stopping: asyncio.Event) -> None:
    """Wait so long, or until it is time to stop."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


def backoff(failures: int, first: float, most: float) -> float:
    """Seconds to wait after so many failures in a row: doubled each time up to `most`, half of it by chance.

    So that those who failed together do not try again together.
    """
    span = min(most, first * 2.0 ** min(failures - 1, 32))
    return span / 2 + random.uniform(0, span / 2)  # noqa: S311 - not a secret
