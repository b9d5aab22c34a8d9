"""Where outages meet requests to data planes: in front of every endpoint, by host name.

What is in a region that is down gives no answer. A client cannot connect to it (the server ends the TLS
handshake, which tells it that nothing was sent), and on a connection that it has it waits until its own
time-out: that is how a region's loss looks, and what a measured recovery time has to include.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from sandbox.held import Replay, outlasts
from sandbox.outages.registry import Outages
from sandbox.outages.servers import Servers
from sandbox.services import Router

#: Seconds after which the connection is broken off: about as long as Linux tries to open one.
_LONGEST = 127.0
_LOOK = 1.0


class Reachable:
    """Implements `services.Router` around another: passes requests on while one of the regions serves that
    answer for their host. A request that waits is passed on when one is up again."""

    def __init__(self, router: Router, outages: Outages, servers: Servers) -> None:
        self._router = router
        self._outages = outages
        self._servers = servers

    def mount(self, pattern: str, app: Any) -> None:
        self._router.mount(pattern, app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "").partition(":")[0].lower()
        if scope["type"] != "http" or not self.is_lost(host):
            await self._router(scope, receive, send)
            return
        again = Replay(receive)
        if not await outlasts(again, self._return(host)):
            return
        if self.is_lost(host):
            await _break_off(send)
        else:
            await self._router(scope, again, send)

    def is_lost(self, host: str) -> bool:
        """Whether none of the regions serves that answer for a host name."""
        if not self._outages.all():
            return False
        regions = self._servers.regions(host)
        return bool(regions) and all(self._outages.is_down(region) for region in regions)

    async def _return(self, host: str) -> None:
        """Until the host is served again, at most as long as a client is kept waiting."""
        end = time.monotonic() + _LONGEST
        while self.is_lost(host) and time.monotonic() < end:
            # A failover may have moved the name meanwhile, without an outage's beginning or end.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._outages.change(), _LOOK)


async def _break_off(send: Send) -> None:
    """An answer that is announced and does not come: the server then closes the connection."""
    await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"1")]})
