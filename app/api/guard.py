"""Who may call: a bearer token with the right role, and no more often than the limit says.

Comes before anything of a request is read. Health, metrics and the documentation are open: probes and
Prometheus have no tokens, and what they show is no secret.
"""

from __future__ import annotations

import math
import re
import time

import limits
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import problem
from app.api.tokens import Caller, KeysError, TokenError, Tokens

EXECUTE, READ = "Agents.Execute", "Agents.Read"
_GUARDED = re.compile(r"/api/[^/]+(?:\Z|/(?!health\Z))")
_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)
_KEYS_RETRY_SECONDS = 5


class Guard:
    """Puts the `Caller` into the request's state. Without `tokens` anybody is let through, unnamed."""

    def __init__(self, app: ASGIApp, tokens: Tokens | None, rate: str | None) -> None:
        """`rate` is of the form `100/minute`, for each caller in this process."""
        self._app, self._tokens = app, tokens
        self._rate = limits.parse(rate) if rate else None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _GUARDED.match(scope["path"]):
            await self._app(scope, receive, send)
            return
        found = await self._authenticate(scope)
        refused = found if isinstance(found, Response) else await self._limit(found)
        if refused is not None:
            await refused(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = found
        await self._app(scope, receive, send)

    async def _authenticate(self, scope: Scope) -> Caller | Response:
        if self._tokens is None:
            return Caller(scope["client"][0] if scope.get("client") else "unknown", frozenset())
        given = Headers(scope=scope).get("authorization")
        if given is None:
            return _unauthorized("A bearer token of Entra ID is needed.")
        bearer = _BEARER.fullmatch(given)
        if bearer is None:
            return _unauthorized("The authorization is no bearer token.", "invalid_request")
        caller = await _judged(self._tokens, bearer[1])
        if isinstance(caller, Caller) and caller.roles.isdisjoint(_needed(scope["method"])):
            return problem(
                403,
                "forbidden",
                f"The token lacks the app role {' or '.join(_needed(scope['method']))}.",
                headers={"WWW-Authenticate": 'Bearer realm="agents", error="insufficient_scope"'},
            )
        return caller

    async def _limit(self, caller: Caller) -> Response | None:
        if self._rate is None or await self._limiter.hit(self._rate, caller.id):
            return None
        window = await self._limiter.get_window_stats(self._rate, caller.id)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        return problem(
            429,
            "rate-limited",
            f"More than {self._rate} of one caller; try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )


def _needed(method: str) -> tuple[str, ...]:
    """Roles that let a caller through; any one of them does."""
    return (READ, EXECUTE) if method in {"GET", "HEAD"} else (EXECUTE,)


async def _judged(tokens: Tokens, token: str) -> Caller | Response:
    try:
        return await tokens.judge(token)
    except TokenError as error:
        return _unauthorized(f"The token is not taken: {error}.", "invalid_token")
    except KeysError as error:
        retry = {"Retry-After": str(_KEYS_RETRY_SECONDS)}
        return problem(503, "authentication-unavailable", f"No token can be judged: {error}.", headers=retry)


def _unauthorized(detail: str, error: str | None = None) -> Response:
    """RFC 6750: without a token no error is named."""
    challenge = 'Bearer realm="agents"' + (f', error="{error}"' if error else "")
    return problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})
