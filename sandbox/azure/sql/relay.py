"""Two connections made one: what either end sends goes to the other, until one ends."""

from __future__ import annotations

import asyncio
import contextlib

_CHUNK = 1 << 16


async def relay(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    other_reader: asyncio.StreamReader,
    other_writer: asyncio.StreamWriter,
) -> None:
    """Return when either end has closed; both are closed then, what was on its way delivered."""
    ways = [
        asyncio.create_task(_copy(reader, other_writer)),
        asyncio.create_task(_copy(other_reader, writer)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, other_writer):
            end.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, EOFError):
        while content := await source.read(_CHUNK):
            target.write(content)
            await target.drain()
