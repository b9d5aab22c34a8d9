"""The alerts: what is wrong, since when, how bad it is and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, IntEnum

from infra.observability import expressions as expr
from infra.observability import thresholds as at

RUNBOOK = "docs/runbook.md"
RECOVERY = "docs/recovery.md"


class Severity(IntEnum):
    """The runbook's levels; Azure Monitor numbers its severities alike."""

    P0 = 0
    P1 = 1
    P2 = 2
    P3 = 3


class Channel(Enum):
    PAGE = "pagerduty"
    CHAT = "teams"
    MAIL = "email"


@dataclass(frozen=True)
class Alert:
    """Fires when `expression` has held for `lasting`; `summary` may use the labels of its result.

    `section` is the heading of the `document` that says what to do, as its anchor.
    """

    name: str
    section: str
    severity: Severity
    channels: tuple[Channel, ...]
    lasting: timedelta
    expression: str
    summary: str
    document: str = RUNBOOK


_NOW, _FIVE, _TEN = timedelta(0), timedelta(minutes=5), timedelta(minutes=10)
_HOUR = timedelta(hours=1)
_URGENT = (Channel.PAGE, Channel.CHAT)

ALERTS = (
    Alert(
        name="HighErrorRate",
        section="high-error-rate",
        severity=Severity.P1,
        channels=_URGENT,
        lasting=_FIVE,
        expression=f"{expr.error_rate()} > {at.ERROR_RATE.critical}",
        summary="{{ $value | humanizePercentage }} of the {{ $labels.agent }} agent's answers are errors",
    ),
    Alert(
        name="HighLatency",
        section="high-latency",
        severity=Severity.P1,
        channels=_URGENT,
        lasting=_FIVE,
        expression=f"{expr.response_time(0.95)} > {at.RESPONSE_TIME.critical}",
        summary="The {{ $labels.agent }} agent takes {{ $value | humanizeDuration }} (p95)",
    ),
    Alert(
        name="PodCrashes",
        section="pod-crashes",
        severity=Severity.P1,
        channels=(Channel.PAGE,),
        lasting=_NOW,
        expression=f"{expr.restarts()} > {at.RESTARTS}",
        summary="{{ $labels.container }} in {{ $labels.pod }} restarted {{ $value }} times in ten minutes",
    ),
    Alert(
        name="ElevatedResponseTime",
        section="elevated-response-time",
        severity=Severity.P2,
        channels=(Channel.CHAT,),
        lasting=_TEN,
        expression=f"{expr.response_time(0.95)} > {at.ELEVATED_RESPONSE_TIME}",
        summary="The {{ $labels.agent }} agent takes {{ $value | humanizeDuration }} (p95)",
    ),
    Alert(
        name="HighCpu",
        section="high-resource-usage",
        severity=Severity.P2,
        channels=(Channel.CHAT,),
        lasting=_TEN,
        expression=f"{expr.cpu()} > {at.CPU.critical}",
        summary="{{ $labels.pod }} uses {{ $value | humanizePercentage }} of the CPU it requested",
    ),
    Alert(
        name="HighMemory",
        section="high-resource-usage",
        severity=Severity.P2,
        channels=(Channel.CHAT,),
        lasting=_TEN,
        expression=f"{expr.memory()} > {at.MEMORY.critical}",
        summary="{{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory limit",
    ),
    Alert(
        name="EventProcessingLag",
        section="event-processing-lag",
        severity=Severity.P2,
        channels=(Channel.CHAT,),
        lasting=_NOW,
        expression=f"{expr.queue_depth()} > {at.QUEUE_DEPTH} or {expr.queue_age()} > {at.EVENT_LAG.critical}",
        summary="The {{ $labels.agent }} agent is behind with its events",
    ),
    Alert(
        name="LlmTokenBudget",
        section="llm-token-usage",
        severity=Severity.P2,
        channels=(Channel.CHAT, Channel.MAIL),
        lasting=_NOW,
        expression=f"{expr.tokens()} > {at.TOKENS.healthy}",
        summary="The {{ $labels.agent }} agent used {{ $value | humanizePercentage }} of today's tokens",
    ),
    # Failover hides this one: callers are answered by the backup, until that fails too.
    Alert(
        name="ModelProviderFailure",
        section="llm-provider-failure",
        severity=Severity.P2,
        channels=(Channel.CHAT,),
        lasting=_NOW,
        expression=f"{expr.provider_away()} > {at.PROVIDER_AWAY}",
        summary="The {{ $labels.agent }} agent does without {{ $labels.provider }}",
    ),
    # So does the outbox: nothing is lost, and nobody is told.
    Alert(
        name="EventPublishFailures",
        section="issue-event-publishing-failures",
        severity=Severity.P2,
        channels=(Channel.CHAT,),
        lasting=_NOW,
        expression=f"{expr.publish_failures()} > {at.PUBLISH_FAILURES}",
        summary="The {{ $labels.agent }} agent cannot publish its events, which wait in its outbox",
    ),
    # Of drills that somebody told of; where there should be some, `drill_alerts` asks for them.
    Alert(
        name="DrillTooOld",
        section="drills",
        document=RECOVERY,
        severity=Severity.P2,
        channels=(Channel.CHAT, Channel.MAIL),
        lasting=_HOUR,
        expression=f"{expr.drill_age()} > {at.DRILL_AGE}",
        summary="Recovery was not rehearsed for more than a week: {{ $labels.drill }}",
    ),
)
