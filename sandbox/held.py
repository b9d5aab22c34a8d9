"""A request that is held back while its client waits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.types import Receive


class Replay:
    """A receive that gives again what was taken from it while waiting."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._taken: list[dict[str, object]] = []

    async def peek(self) -> dict[str, object]:
        message = dict(await self._receive())
        self._taken.append(message)
        return message

    async def __call__(self) -> dict[str, object]:
        return self._taken.pop(0) if self._taken else dict(await self._receive())


async def outlasts(receive: Replay, wait: Coroutine[Any, Any, object]) -> bool:
    """Whether the client is still there when `wait` has ended."""

    async def gone() -> None:
        while (await receive.peek())["type"] != "http.disconnect":
            pass

    left, ended = asyncio.create_task(gone()), asyncio.create_task(wait)
    try:
        await asyncio.wait({left, ended}, return_when=asyncio.FIRST_COMPLETED)
        return not left.done()
    finally:
        left.cancel()
        ended.cancel()
