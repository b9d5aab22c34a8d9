"""The `timespan` of a question: a duration up to now, or an interval. ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

Between = tuple[datetime | None, datetime | None]
_DURATION = TypeAdapter(timedelta)


def parse(text: str | None, now: datetime) -> Between:
    """`PT1H`, `start/end`, `start/PT1H` or `PT1H/end`; without one, all times. Raises ValueError."""
    if not text:
        return None, None
    first, slash, second = text.partition("/")
    if not slash:
        return now - _duration(first), now
    if first.startswith("P"):
        end = _time(second)
        return end - _duration(first), end
    start = _time(first)
    return start, start + _duration(second) if second.startswith("P") else _time(second)


def _duration(text: str) -> timedelta:
    if not text.startswith("P"):
        raise ValueError(f"'{text}' is no duration in ISO 8601, such as PT1H or P7D")
    return _DURATION.validate_python(text)


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
