"""Things that go wrong: a wrapper that fails before or after what it wraps was done, and takes its time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError


def chance(seed: int) -> random.Random:
    """The same for the same seed."""
    return random.Random(seed)  # noqa: S311 - nothing secret


class Faulty:
    """`target`, whose methods fail: `before` of a hundred calls without effect, `after` with it, unanswered.

    Every call takes up to `seconds`, half of them before its effect; `down` fails all of them. What `error`
    makes of a message is raised.
    """

    def __init__(
        self,
        target: Any,
        by: random.Random,
        *,
        before: int = 0,
        after: int = 0,
        seconds: float = 0.02,
        error: Callable[[str], Exception] | None = None,
    ) -> None:
        self._target, self._chance = target, by
        self.before, self.after, self._seconds, self._error = before, after, seconds, error
        self.down = False
        self.failures = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def call(*arguments: Any, **options: Any) -> Any:
            await asyncio.sleep(self._chance.uniform(0, self._seconds / 2))
            if self.down or self._chance.randrange(100) < self.before:
                self.failures += 1
                raise self._made(ServiceRequestError, "the service was not reached")
            result = await method(*arguments, **options)
            await asyncio.sleep(self._chance.uniform(0, self._seconds / 2))
            if self._chance.randrange(100) < self.after:
                self.failures += 1
                raise self._made(ServiceResponseError, "the answer was lost")
            return result

        return call

    def _made(self, kind: type[AzureError], message: str) -> Exception:
        return self._error(message) if self._error else kind(message)
