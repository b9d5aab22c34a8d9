"""The threshold catalogue: every figure that says how the platform is, once.

Alert rules, dashboards, the autoscalers' targets and the runbook's health table are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Indicator:
    """A row of the health table: healthy below `healthy`, critical above `critical`, a warning between."""

    name: str
    unit: Literal["seconds", "ratio"]
    healthy: float
    critical: float


RESPONSE_TIME = Indicator("API response time (p95)", "seconds", healthy=0.5, critical=2)
ERROR_RATE = Indicator("Error rate", "ratio", healthy=0.01, critical=0.05)
CPU = Indicator("Pod CPU usage (of its request)", "ratio", healthy=0.70, critical=0.85)
MEMORY = Indicator("Pod memory usage (of its limit)", "ratio", healthy=0.80, critical=0.90)
EVENT_LAG = Indicator("Event processing lag", "seconds", healthy=60, critical=300)
TOKENS = Indicator("LLM token usage (of the day's budget)", "ratio", healthy=0.80, critical=1.00)

HEALTH = (RESPONSE_TIME, ERROR_RATE, CPU, MEMORY, EVENT_LAG, TOKENS)

#: Seconds (p95) that are worth a look before they are critical.
ELEVATED_RESPONSE_TIME = 1.0
#: Messages waiting in one agent's queue.
QUEUE_DEPTH = 1000
#: Restarts of one container within ten minutes.
RESTARTS = 3
#: Share of ten minutes in which a model provider was left alone.
PROVIDER_AWAY = 0.5
#: Seconds since a drill passed that is run once a week: eight days.
DRILL_AGE = 691_200
#: Failed attempts to publish within ten minutes.
PUBLISH_FAILURES = 5
#: Seconds after which what is new in the environment must have a copy.
BACKUP_AGE = 3600
#: Seconds after which copies must have been read back and compared with their originals.
BACKUP_VALIDATION_AGE = 21600
#: Failures to copy, to read back or to ask within an hour and a half. A pass has one at most of a kind of
#: data, and at the longest interval (`infra/settings/backup.py`) there are four passes in that time.
BACKUP_FAILURES = 3
