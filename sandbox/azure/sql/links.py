"""The way from a primary to its replica in another region, through which the replica's log comes.

It is a relay between two unix sockets, so that distance can be had: `Link.lag` seconds later arrives what the
primary sent, and what was on its way when the link is cut never arrives, as when a region is lost.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK = 1 << 16
_LOOK = 0.1


@dataclass(eq=False)
class Link:
    """Listens at `place` (the replica's side), leads to `target` (the primary's socket)."""

    place: Path
    target: Path
    lag: float = 0.0
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
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def take() -> None:
            content = b"-"
            while content:
                content = await source.read(_CHUNK)
                queue.put_nowait((loop.time(), content))

        async def give() -> None:
            while True:
                came, content = await queue.get()
                # In short sleeps: the lag may be changed meanwhile.
                while late and (left := came + self.lag - loop.time()) > 0:  # noqa: ASYNC110
                    await asyncio.sleep(min(left, _LOOK))
                if not content:
                    raise EOFError
                target.write(content)
                await target.drain()

        async with asyncio.TaskGroup() as both:
            both.create_task(take())
            both.create_task(give())


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

    async def connect(self, replica: str, place: Path, target: Path) -> Link:
        """The open link from `target` to a replica; one that led elsewhere is cut."""
        known = self.get(replica)
        if known is not None and (known.place, known.target) == (place, target) and known.is_open:
            return known
        lag = known.lag if known is not None else 0.0
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
