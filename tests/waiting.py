"""Waiting on a condition with a deadline, never for luck."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
#: Seconds between two looks.
_PAUSE = 0.1


def until(
    read: Callable[[], T], good: Callable[[T], object] = bool, seconds: float = 60, what: str = ""
) -> T:
    """What `read` gives once it is good; fails with the last that it gave, and `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not good(value := read()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what or 'it'}; last {value!r}"
        time.sleep(_PAUSE)
    return value
