"""RPO and RTO, measured.

RPO = max(0, t_failure - t_newest_recovered): how far back the newest acknowledged execution lies that was
recovered, if any was lost at all. RTO = t_operational - t_failure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from drills.content import Judgement
from drills.journal import Sentinel


def rpo(failed: datetime, judgement: Judgement) -> float:
    """Seconds. Nothing that was acknowledged before the failure is lost: 0, however long ago it was written.

    Infinite when everything is lost.
    """
    if judgement.lost == 0:
        return 0.0
    if judgement.newest is None:
        return math.inf
    return max(0.0, (failed - judgement.newest).total_seconds())


def answered_again(sentinels: Sequence[Sentinel], failed: datetime) -> datetime:
    """When callers were served for good: the first acknowledgement of what was sent after the last failure.

    `failed` itself where nothing sent since then failed. Raises RuntimeError if nothing was answered since.
    """
    written = [one for one in sentinels if one.sent >= failed]
    failures = [one.sent for one in written if one.failure]
    last = max(failures, default=failed)
    answered = [one.acknowledged for one in written if one.acknowledged and one.sent >= last]
    if not answered:
        raise RuntimeError("nothing was acknowledged any more")
    return min(answered) if failures else failed


def rto(failed: datetime, operational: datetime) -> float:
    """Seconds. Raises ValueError when it was operational before it failed."""
    seconds = (operational - failed).total_seconds()
    if seconds < 0:
        raise ValueError(
            f"operational at {operational.isoformat()}, before it failed at {failed.isoformat()}"
        )
    return seconds
