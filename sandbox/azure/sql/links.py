"""The way from a primary to its replica in another region, through which the replica's log comes.

It is a relay between two unix sockets, so that distance can be had: what the primary wrote arrives so many
seconds later as `Link.lag` says, and what was on its way when the link is cut never arrives, as when a region
is lost. Only the log is late: a replica that connects again is answered at once, whatever the distance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

#: In seconds, asked for again and again: it may be changed meanwhile.
Lag = Callable[[], float]

_CHUNK = 1 << 16
_LOOK = 0.1
#: A message's type and length, and the type with which streaming begins.
_HEAD, _STREAMS = 5, b"W"


@dataclass(eq=False)
class Link:
    """Listens at `place` (the replica's side), leads to `target` (the primary's socket)."""

    place: Path
    target: Path
    lag: Lag
    #: Nothing is late any more: a primary that stops in order waits for its replica.
    hurried: bool = False
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        self.place.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, self.place)
        # PostgreSQL's user connects; only it can look into the folder.
        self.place.chmod(0o666)

    async def cut(self) -> None:
        """End it at once, with what is on its way."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.place.unlink(missing_ok=True)

    def _accept(self, replica: asyncio.StreamReader, to_replica: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(replica, to_replica), name="sql-link")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, replica: asyncio.StreamReader, to_replica: asyncio.StreamWriter) -> None:
        to_primary: asyncio.StreamWriter | None = None
        try:
            primary, to_primary = await asyncio.open_unix_connection(str(self.target))
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(replica, to_primary, late=False))
                both.create_task(self._carry(primary, to_replica, late=True))
        except (OSError, ExceptionGroup):
            pass
        finally:
            for end in (to_replica, to_primary):
                if end is not None:
                    end.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, late: bool) -> None:
        """Until either end closes, which ends the other way too (by the error)."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float | None, bytes]] = asyncio.Queue()
        greeting = Greeting()

        async def take() -> None:
            while content := await source.read(_CHUNK):
                first, rest = greeting.split(content) if late else (content, b"")
                for came, part in ((None, first), (loop.time(), rest)):
                    if part:
                        queue.put_nowait((came, part))
            queue.put_nowait((loop.time() if late else None, b""))

        async def give() -> None:
            while True:
                came, content = await queue.get()
                # In short sleeps: the lag may be changed meanwhile.
                while came is not None and (left := came + self._lag() - loop.time()) > 0:  # noqa: ASYNC110
                    await asyncio.sleep(min(left, _LOOK))
                if not content:
                    raise EOFError
                target.write(content)
                await target.drain()

        async with asyncio.TaskGroup() as both:
            both.create_task(take())
            both.create_task(give())

    def _lag(self) -> float:
        return 0.0 if self.hurried else self.lag()


class Greeting:
    """What a primary says before it streams its log: messages, each with its type and length, up to
    `CopyBothResponse`. https://www.postgresql.org/docs/15/protocol-replication.html
    """

    def __init__(self) -> None:
        self._pending = b""
        self._over = False

    def split(self, content: bytes) -> tuple[bytes, bytes]:
        """What of the bytes that came next belongs to it, and what is the log."""
        if self._over:
            return b"", content
        before, known, end = len(self._pending), self._pending + content, 0
        while len(known) - end >= _HEAD:
            kind, length = known[end : end + 1], int.from_bytes(known[end + 1 : end + _HEAD])
            if len(known) - end <= length:
                break
            end += 1 + length
            if kind == _STREAMS:
                self._over, self._pending = True, b""
                return content[: end - before], content[end - before :]
        self._pending = known[end:]
        return content, b""


class Links:
    """By the replica's server name."""

    def __init__(self) -> None:
        self._open: dict[str, Link] = {}

    def get(self, replica: str) -> Link | None:
        return self._open.get(replica.lower())

    async def cut_from(self, target: Path) -> None:
        """Cut every link that leads to a primary's socket."""
        for replica, link in list(self._open.items()):
            if link.target == target:
                await self.cut(replica)

    async def connect(self, replica: str, place: Path, target: Path, lag: Lag) -> Link:
        """The open link from `target` to a replica; one that led elsewhere is cut."""
        known = self.get(replica)
        if known is not None and (known.place, known.target) == (place, target) and known.is_open:
            return known
        await self.cut(replica)
        link = self._open[replica.lower()] = Link(place, target, lag)
        await link.open()
        return link

    async def cut(self, replica: str) -> None:
        link = self._open.pop(replica.lower(), None)
        if link is not None:
            await link.cut()

    async def close(self) -> None:
        for replica in list(self._open):
            await self.cut(replica)
