"""Nodes tell the controller of pods that are about to start, and wait until their rules are in force.

A pod's address is in its status only about a second after its containers started; the announcement comes
before. It counts until the status says the same, or the pod is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Round:
    """Who waits for its end, and the pods (by uid) that were announced before it."""

    waiting: tuple[asyncio.Event, ...]
    announced: frozenset[str]


class Announcements:
    """`changed` is set with each."""

    def __init__(self, changed: asyncio.Event) -> None:
        self._changed = changed
        self._waiting: list[asyncio.Event] = []
        #: A pod's uid -> its address.
        self.addresses: dict[str, IPv4Address] = {}

    @contextlib.asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[None]:
        """On a socket that only root can use."""
        server = await asyncio.start_unix_server(self._serve, sock=_bound(path))
        try:
            yield
        finally:
            server.close()

    def begin(self) -> Round:
        """Before anything is asked of the cluster."""
        waiting, self._waiting = self._waiting, []
        return Round(tuple(waiting), frozenset(self.addresses))

    def end(self, one: Round) -> None:
        for waiter in one.waiting:
            waiter.set()

    def put_back(self, one: Round) -> None:
        """It failed; the next one is waited for."""
        self._waiting = [*one.waiting, *self._waiting]

    def forget(self, one: Round, pods: Sequence[Mapping[str, Any]]) -> None:
        """What was announced before the round and is told by the pods of the cluster now."""
        told = {pod["metadata"]["uid"]: (pod.get("status") or {}).get("podIP") for pod in pods}
        for uid in one.announced:
            if uid not in told or told[uid] == str(self.addresses.get(uid)):
                self.addresses.pop(uid, None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            said = json.loads(await reader.readline())
            self.addresses[said["uid"]] = IPv4Address(said["address"])
            done = asyncio.Event()
            self._waiting.append(done)
            self._changed.set()
            await done.wait()
            writer.write(b"done\n")
            await writer.drain()
        except (OSError, ValueError, KeyError) as error:
            log.warning("an announcement of a pod: %r", error)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _bound(path: Path) -> socket.socket:
    """What a process that was killed left there goes."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    path.chmod(0o600)
    return made
