"""Per-deployment limits on tokens and requests, as Azure OpenAI counts them.

A deployment's capacity is in thousands of tokens per minute. Tokens are counted in windows of a minute: each
request adds its prompt and the answer it may ask for, and what would not fit is refused until the window
ends. How many requests come with a thousand tokens depends on the model. Those of older models are counted in
windows of ten seconds, because Azure wants them spread evenly. Counts live in memory; a restart forgives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

TOKEN_WINDOW = 60


@dataclass(frozen=True)
class Limits:
    """Per minute; requests are counted in windows of so many seconds."""

    tokens: int
    requests: int
    window: int = 10

    @classmethod
    def of_capacity(cls, capacity: int, requests: int, window: int) -> Limits:
        """Of so many thousand tokens a minute, with so many `requests` for each thousand."""
        return cls(capacity * 1000, capacity * requests, window)

    @property
    def requests_per_window(self) -> int:
        return max(1, self.requests * self.window // 60)


@dataclass
class _Window:
    ends_at: float = 0.0
    used: int = 0

    def roll(self, now: float, length: int) -> None:
        if now >= self.ends_at:
            self.ends_at = now + length
            self.used = 0


@dataclass(frozen=True)
class Verdict:
    """`wait` is None when admitted, else the seconds until it may be tried again, and `limit` what ran "
    "out."""

    remaining_tokens: int
    remaining_requests: int
    wait: float | None = None
    limit: str = ""

    def headers(self, limits: Limits) -> Mapping[str, str]:
        return {
            "x-ratelimit-limit-requests": str(limits.requests),
            "x-ratelimit-limit-tokens": str(limits.tokens),
            "x-ratelimit-remaining-requests": str(self.remaining_requests),
            "x-ratelimit-remaining-tokens": str(self.remaining_tokens),
        }


class RateLimiter:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[_Window, _Window]] = {}

    def admit(self, deployment: str, limits: Limits, tokens: int) -> Verdict:
        """Count a request that may use so many tokens, or say when to come back. `deployment` is its key."""
        now = self._clock()
        by_token, by_request = self._windows.setdefault(deployment, (_Window(), _Window()))
        by_token.roll(now, TOKEN_WINDOW)
        by_request.roll(now, limits.window)
        allowed = limits.requests_per_window
        if by_request.used + 1 > allowed:
            return self._verdict(limits, by_token, by_request, by_request.ends_at - now, "call")
        if by_token.used + tokens > limits.tokens:
            return self._verdict(limits, by_token, by_request, by_token.ends_at - now, "token")
        by_token.used += tokens
        by_request.used += 1
        return self._verdict(limits, by_token, by_request)

    @staticmethod
    def _verdict(
        limits: Limits, by_token: _Window, by_request: _Window, wait: float | None = None, limit: str = ""
    ) -> Verdict:
        return Verdict(
            max(0, limits.tokens - by_token.used),
            max(0, limits.requests_per_window - by_request.used),
            wait,
            limit,
        )
