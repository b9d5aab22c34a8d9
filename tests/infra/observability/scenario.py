"""A scenario: what happens, minute by minute, and which alerts must fire when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: Where the runbook says what to do.
SECTIONS = {
    "HighErrorRate": "high-error-rate",
    "HighLatency": "high-latency",
    "PodCrashes": "pod-crashes",
    "ElevatedResponseTime": "elevated-response-time",
    "HighCpu": "high-resource-usage",
    "HighMemory": "high-resource-usage",
    "EventProcessingLag": "event-processing-lag",
    "LlmTokenBudget": "llm-token-usage",
    "ModelProviderFailure": "llm-provider-failure",
    "EventPublishFailures": "issue-event-publishing-failures",
}
#: Where the document on recovery does.
RECOVERY_SECTIONS = {
    "DrillTooOld": "drills",
    "BackupTooOld": "copies-are-late",
    "BackupNotValidated": "copies-are-not-like-their-originals",
    "BackupFailing": "copies-are-late",
}


@dataclass(frozen=True)
class Told:
    """How bad it is, and who is told."""

    severity: str
    channels: str


@dataclass(frozen=True)
class Scenario:
    """`series` -> values in promtool's notation, one a minute; `fires` and `silent` are minutes."""

    name: str
    alert: str
    series: dict[str, str]
    labels: dict[str, str]
    told: Told
    fires: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()
    says: str = ""

    def test(self) -> dict[str, Any]:
        """As promtool takes it."""
        expected = {
            **self.labels,
            "severity": self.told.severity,
            "channels": self.told.channels,
        }
        if self.alert in RECOVERY_SECTIONS:
            where = f"docs/recovery.md#{RECOVERY_SECTIONS[self.alert]}"
        else:
            where = f"docs/runbook.md#{SECTIONS[self.alert]}"
        annotations = {"summary": self.says, "runbook": where}
        firing = {"exp_labels": expected, "exp_annotations": annotations}
        return {
            "name": self.name,
            "interval": "1m",
            "input_series": [{"series": key, "values": value} for key, value in self.series.items()],
            "alert_rule_test": [
                {
                    "eval_time": f"{minute}m",
                    "alertname": self.alert,
                    "exp_alerts": [firing] if minute in self.fires else [],
                }
                for minute in sorted((*self.fires, *self.silent))
            ],
        }
