"""Calls that something cut off, and what of them the history may lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from drills.journal import Sentinel
from drills.report import Check

#: From when to when calls may have been cut off; a moment where both are the same.
Cut = tuple[datetime, datetime]

#: Longer than a pod needs to write down what a call has cost.
_MARGIN = timedelta(seconds=1)


def is_under_way(sentinel: Sentinel, cut: Cut) -> bool:
    """Whether it may have been. One that was never acknowledged ended nobody knows when."""
    first, last = cut
    ended = sentinel.acknowledged or first
    return sentinel.sent <= last + _MARGIN and ended >= first - _MARGIN


@dataclass(frozen=True)
class RowsLost:
    """The history and the executions need not agree on what was under way in `cut`, for the reason `why`."""

    cut: Cut
    why: str

    def of(self, sentinels: Sequence[Sentinel]) -> frozenset[str]:
        """Correlation ids of those, and so also of what others did because of them."""
        return frozenset(one.correlation for one in sentinels if is_under_way(one, self.cut))

    def said(self, count: int) -> Check:
        """Nobody shall read a report without it."""
        return Check(
            name="history that is not asked for",
            looked_at=f"{count} correlations",
            problems=[],
            left_out=self.why,
        )
