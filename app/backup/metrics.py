"""How old copies are and whether they are good, per kind of data; alerts read it (`infra/observability`)."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

NEWEST = Gauge(
    "backup_newest_timestamp_seconds",
    "The moment as of which everything has a copy, in seconds since the epoch.",
    ["data"],
)
VALIDATED = Gauge(
    "backup_validated_timestamp_seconds",
    "When copies were last read back and found to be like their originals, in seconds since the epoch.",
    ["data"],
)
FAILURES = Counter("backup_failures_total", "What could not be copied, read back or asked for.", ["data"])
COPIES = Counter("backup_copies_total", "Copies made.", ["data"])
