"""Windows of tokens and requests, on a clock that the test moves."""

from __future__ import annotations

from sandbox.azure.cognitiveservices.rates import Limits, RateLimiter


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_tokens_are_refused_until_the_minute_ends() -> None:
    clock = Clock()
    limiter, limits = RateLimiter(clock), Limits(tokens=1000, requests=600)
    assert limiter.admit("d", limits, 600).wait is None
    clock.now += 20
    refused = limiter.admit("d", limits, 600)
    assert (refused.wait, refused.limit, refused.remaining_tokens) == (40, "token", 400)
    assert limiter.admit("d", limits, 400).remaining_tokens == 0
    clock.now += refused.wait
    assert limiter.admit("d", limits, 600).wait is None


def test_requests_are_spread_over_windows_of_ten_seconds() -> None:
    clock = Clock()
    limiter, limits = RateLimiter(clock), Limits.of_capacity(2, requests=6, window=10)
    assert [limiter.admit("d", limits, 1).wait for _ in range(2)] == [None, None]
    clock.now += 4
    refused = limiter.admit("d", limits, 1)
    assert (refused.wait, refused.limit) == (6, "call")
    assert limiter.admit("other", limits, 1).wait is None
    clock.now += 6
    assert limiter.admit("d", limits, 1).wait is None


def test_newer_models_count_requests_by_the_minute() -> None:
    clock = Clock()
    limiter, limits = RateLimiter(clock), Limits.of_capacity(2, requests=1, window=60)
    assert [limiter.admit("d", limits, 1).wait for _ in range(2)] == [None, None]
    clock.now += 10
    assert limiter.admit("d", limits, 1).wait == 50
    clock.now += 50
    assert limiter.admit("d", limits, 1).wait is None


def test_a_refused_request_uses_nothing() -> None:
    limiter, limits = RateLimiter(Clock()), Limits(tokens=1000, requests=600)
    assert limiter.admit("d", limits, 1001).wait == 60
    assert limiter.admit("d", limits, 1000).wait is None
