"""What a long-term retention policy asks for: which backups, and until when they are kept.

A weekly backup is the first of its week, a monthly one the first of its month, a yearly one the first in the
week of the year that the policy names. Weeks are those of ISO 8601.
Source: https://learn.microsoft.com/azure/azure-sql/database/long-term-retention-overview.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

_DURATION = re.compile(r"P(?:T0S|(\d+)(D|W|M|Y))")
_DAYS = {"D": 1, "W": 7, "M": 30, "Y": 365}
_DAY = 86_400.0


def _year(at: datetime) -> object:
    return at.isocalendar().year


#: Property -> what two backups of one period share.
_PERIODS: Mapping[str, Callable[[datetime], object]] = {
    "weeklyRetention": lambda at: at.isocalendar()[:2],
    "monthlyRetention": lambda at: (at.year, at.month),
    "yearlyRetention": _year,
}
NAMES = tuple(_PERIODS)


def days(value: str) -> int | None:
    """An ISO 8601 duration in days (`PT0S`: 0); None for what is none."""
    match = _DURATION.fullmatch(value)
    if match is None:
        return None
    return int(match[1]) * _DAYS[match[2]] if match[1] else 0


def due(policy: Mapping[str, Any], taken: Iterable[float], now: float) -> float | None:
    """Until when a backup taken now is to be kept; None when none is due. Times in seconds since 1970.

    `taken` are the times of the backups that are kept already.
    """
    at, known = _utc(now), [_utc(one) for one in taken]
    kept = [
        days(str(policy.get(name) or "PT0S")) or 0
        for name, period in _PERIODS.items()
        if period(at) not in {period(one) for one in known if _counts(name, policy, one)}
        and _counts(name, policy, at)
    ]
    longest = max(kept, default=0)
    return now + longest * _DAY if longest else None


def _counts(name: str, policy: Mapping[str, Any], at: datetime) -> bool:
    return name != "yearlyRetention" or at.isocalendar().week == policy.get("weekOfYear")


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
