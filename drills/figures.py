"""RPO and RTO, measured.

RPO = max(0, t_failure - t_newest_recovered): how far back the newest acknowledged execution lies that was
recovered, if any was lost at all. RTO = t_operational - t_failure.
"""

from __future__ import annotations

import math
from datetime import datetime

from drills.content import Judgement


def rpo(failed: datetime, judgement: Judgement) -> float:
    """Seconds. Nothing that was acknowledged before the failure is lost: 0, however long ago it was written.

    Infinite when everything is lost.
    """
    if judgement.lost == 0:
        return 0.0
    if judgement.newest is None:
        return math.inf
    return max(0.0, (failed - judgement.newest).total_seconds())


def rto(failed: datetime, operational: datetime) -> float:
    """Seconds. Raises ValueError when it was operational before it failed."""
    seconds = (operational - failed).total_seconds()
    if seconds < 0:
        raise ValueError(
            f"operational at {operational.isoformat()}, before it failed at {failed.isoformat()}"
        )
    return seconds
