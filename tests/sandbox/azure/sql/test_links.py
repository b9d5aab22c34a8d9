"""The way between two servers: what is late on it, what is not, and what is lost with it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sandbox.azure.sql.links import Greeting, Link

#: A primary's messages: authenticated, a setting, ready, and then the log is to come.
GREETING = b"R\0\0\0\x08\0\0\0\0" + b"S\0\0\0\x0aW\0a\0bc" + b"Z\0\0\0\x05I" + b"W\0\0\0\x07\0\0\0"
LOG = b"d\0\0\0\x08W123"


@pytest.mark.parametrize("seed", range(20))
def test_a_greeting_ends_where_the_log_begins_however_it_comes(seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311  (a repeatable cut, no secret)
    content = GREETING + LOG * 3
    cuts = sorted(choose.sample(range(1, len(content)), choose.randint(0, 12)))
    greeting = Greeting()
    parts = [greeting.split(content[a:b]) for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    assert b"".join(first for first, _ in parts) == GREETING
    assert b"".join(rest for _, rest in parts) == LOG * 3


Received = list[tuple[float, bytes]]


class Ends:
    """A link between a primary that sends what it is told to and a replica that notes what comes."""

    def __init__(self, folder: Path) -> None:
        self.seconds = 0.0
        self.link = Link(folder / "replica", folder / "primary", lambda: self.seconds)
        self.received: Received = []
        self._primary: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def open(self) -> asyncio.StreamWriter:
        await asyncio.start_unix_server(lambda _, writer: self._primary.put_nowait(writer), self.link.target)
        await self.link.open()
        reader, self._replica = await asyncio.open_unix_connection(self.link.place)
        self._noting = asyncio.create_task(self._note(reader))
        return await self._primary.get()

    async def _note(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while content := await reader.read(1 << 16):
                self.received.append((time.monotonic(), content))

    @property
    def content(self) -> bytes:
        return b"".join(content for _, content in self.received)

    async def comes(self, content: bytes) -> float:
        """When all of it had come."""
        await holds(lambda: self.content == content)
        return self.received[-1][0]

    async def close(self) -> None:
        await self.link.cut()
        self._replica.close()
        await asyncio.wait_for(self._noting, 5)


async def holds(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to be in 10 s")


@pytest.fixture
async def ends(tmp_path: Path) -> AsyncIterator[Ends]:
    found = Ends(tmp_path)
    yield found
    await found.close()


async def test_the_greeting_comes_at_once_and_the_log_late(ends: Ends) -> None:
    ends.seconds = 0.5
    primary = await ends.open()
    sent = time.monotonic()
    primary.write(GREETING + LOG)
    assert await ends.comes(GREETING) - sent < 0.4
    assert await ends.comes(GREETING + LOG) - sent >= 0.5


async def test_what_is_on_its_way_is_lost_with_the_link(ends: Ends) -> None:
    ends.seconds = 600.0
    primary = await ends.open()
    primary.write(GREETING + LOG)
    await ends.comes(GREETING)
    await ends.link.cut()
    await asyncio.wait_for(ends._noting, 5)
    assert ends.content == GREETING


@pytest.mark.parametrize("ended", ["shortened", "hurried"])
async def test_what_waits_need_not_wait_any_more(ends: Ends, ended: str) -> None:
    ends.seconds = 600.0
    primary = await ends.open()
    primary.write(GREETING + LOG)
    await ends.comes(GREETING)
    if ended == "hurried":
        ends.link.hurried = True
    else:
        ends.seconds = 0.0
    await ends.comes(GREETING + LOG)
