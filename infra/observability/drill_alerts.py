"""The alert of an environment that is drilled, which is declared where `agents:alerts.drills` says so.

Elsewhere nobody publishes figures of drills, and it would fire for good.
"""

from __future__ import annotations

from datetime import timedelta

from infra.observability import expressions as expr
from infra.observability.alerts import RECOVERY, Alert, Channel, Severity

DRILL_ALERTS = (
    # What was never rehearsed is not there when it is needed, so that no figure is as bad as an old one.
    Alert(
        name="DrillsUnknown",
        section="drills",
        document=RECOVERY,
        severity=Severity.P2,
        channels=(Channel.CHAT, Channel.MAIL),
        lasting=timedelta(hours=1),
        expression=expr.no_drill(),
        summary="Nobody knows of any drill of this environment that passed",
    ),
)
