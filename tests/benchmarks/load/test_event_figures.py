"""What workers said of events, put together."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.load.events.figures import EventFigures, table
from tests.benchmarks.load.figures import EVENTS


def _published(events: int) -> dict[str, Any]:
    return {"events": events, "recorded_per_second": 500.0, "published_per_second": 450.0, "cpu_ms": 1.5}


def _consumed(lags: list[float], again: int = 0) -> dict[str, Any]:
    return {"events": len(lags), "again": again, "consumed_per_second": 200.0, "cpu_ms": 3.0, "lags": lags}


def test_lags_are_those_of_the_steady_part() -> None:
    found = EventFigures.of(
        _published(3), _consumed([60.0, 61.0, 62.0]), _published(4), _consumed([0.4, 0.1, 0.3, 0.2]), 20.0
    )
    assert (found.lag_p50, found.lag_p95, found.lag_p99) == (0.2, 0.4, 0.4)
    assert (found.events, found.lost, found.again, found.rate) == (7, 0, 0, 20.0)
    assert (found.published_per_second, found.consumed_per_second) == (450.0, 200.0)


def test_what_was_published_and_not_handled_is_lost() -> None:
    found = EventFigures.of(
        _published(3), _consumed([1.0, 1.0], again=2), _published(1), _consumed([1.0]), 1.0
    )
    assert (found.lost, found.again) == (1, 2)


def test_without_one_event_handled_there_is_no_lag_to_speak_of() -> None:
    with pytest.raises(ValueError, match="no values"):
        EventFigures.of(_published(1), _consumed([1.0]), _published(1), _consumed([]), 1.0)


def test_figures_are_shown_with_their_units() -> None:
    shown = table(EVENTS)
    assert "| consumed, from a backlog | 200 a second |" in shown
    assert "| lag at 20 a second: p50 | 500 ms |" in shown
    assert "| lost | 0 of 2,600 |" in shown
