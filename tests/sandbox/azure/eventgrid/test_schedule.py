"""The retry schedule and what each answer means, as the documentation lists them."""

from __future__ import annotations

import pytest

from sandbox.azure.eventgrid import schedule

MINUTE, HOUR = 60, 3600


def test_pauses_grow_as_documented_and_stay_at_twelve_hours() -> None:
    documented = [10, 30, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR]
    assert [schedule.pause(attempt, 0, 0) for attempt in range(1, 12)] == [*documented, 12 * HOUR]


def test_six_attempts_fit_into_half_an_hour() -> None:
    """The documentation's example for a time to live of 30 minutes."""
    at, attempts = 0.0, 0
    while at < 30 * MINUTE:
        attempts += 1
        at += schedule.pause(attempts, 0, 0)
    assert attempts == 6


def test_pauses_are_spread_a_little_and_never_shortened() -> None:
    assert schedule.pause(1, 0, 1) == pytest.approx(11)
    assert schedule.pause(1, 300, 0) == 300
    assert schedule.pause(5, 300, 0) == 600


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204])
def test_success(status: int) -> None:
    assert schedule.outcome(status, webhook=True).delivered


@pytest.mark.parametrize(
    ("status", "webhook", "name", "final", "shortest"),
    [
        (400, False, "BadRequest", "UndeliverableDueToHttpBadRequest", 10),
        (400, True, "BadRequest", "UndeliverableDueToHttpBadRequest", 10),
        (401, False, "Unauthorized", None, 300),
        (401, True, "Unauthorized", "UndeliverableDueToHttpUnauthorized", 10),
        (403, False, "Forbidden", "UndeliverableDueToHttpForbidden", 10),
        (403, True, "Forbidden", "UndeliverableDueToHttpForbidden", 10),
        (404, False, "NotFound", None, 300),
        (404, True, "NotFound", None, 10),
        (408, True, "TimedOut", None, 120),
        (413, False, "PayloadTooLarge", "UndeliverableDueToHttpRequestEntityTooLarge", 10),
        (503, False, "Busy", None, 30),
        (500, True, "InternalServerError", None, 10),
        (205, True, "ResetContent", None, 10),
        (599, True, "599", None, 10),
    ],
)
def test_failures(status: int, webhook: bool, name: str, final: str | None, shortest: float) -> None:
    found = schedule.outcome(status, webhook=webhook)
    assert (found.delivered, found.name, found.final, found.shortest) == (False, name, final, shortest)
