"""The alerts of a backup stack, which are declared with it: without one there is nothing to be late with."""

from __future__ import annotations

from datetime import timedelta

from infra.observability import expressions as expr
from infra.observability import metrics
from infra.observability import thresholds as at
from infra.observability.alerts import RECOVERY, Alert, Channel, Severity

_CHANNELS = (Channel.PAGE, Channel.CHAT, Channel.MAIL)
#: A worker that starts knows nothing until its first pass is done.
_FIRST_PASS = timedelta(minutes=15)

BACKUP_ALERTS = (
    Alert(
        name="BackupTooOld",
        section="copies-are-late",
        severity=Severity.P1,
        channels=_CHANNELS,
        lasting=_FIRST_PASS,
        expression=f"{expr.backup_age()} > {at.BACKUP_AGE} or "
        f"{expr.missing(metrics.BACKUP_NEWEST, metrics.BACKED_UP)}",
        summary="The backup of {{ $labels.data }} is old, or nothing tells how old",
        document=RECOVERY,
    ),
    Alert(
        name="BackupNotValidated",
        section="copies-are-not-like-their-originals",
        severity=Severity.P1,
        channels=_CHANNELS,
        lasting=_FIRST_PASS,
        expression=f"{expr.backup_validation_age()} > {at.BACKUP_VALIDATION_AGE} or "
        f"{expr.missing(metrics.BACKUP_VALIDATED, metrics.COPIED)}",
        summary="Copies of {{ $labels.data }} were not found to be like their originals",
        document=RECOVERY,
    ),
    Alert(
        name="BackupFailing",
        section="copies-are-late",
        severity=Severity.P2,
        channels=(Channel.CHAT, Channel.MAIL),
        lasting=timedelta(0),
        expression=f"{expr.backup_failures()} > {at.BACKUP_FAILURES}",
        summary="The backup of {{ $labels.data }} fails; the worker's log says why",
        document=RECOVERY,
    ),
)
