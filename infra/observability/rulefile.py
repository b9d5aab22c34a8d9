"""The alerts as a Prometheus rule file: what promtool tests and any Prometheus can load."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import yaml

from infra.observability.alerts import ALERTS, Alert
from infra.observability.backup_alerts import BACKUP_ALERTS
from infra.observability.drill_alerts import DRILL_ALERTS

GROUP = "agents"
#: How often the rules are evaluated.
INTERVAL = timedelta(minutes=1)
#: Of every stack.
CATALOGUE = (*ALERTS, *DRILL_ALERTS, *BACKUP_ALERTS)


def labels(alert: Alert) -> dict[str, str]:
    return {
        "severity": alert.severity.name,
        "channels": ",".join(channel.value for channel in alert.channels),
    }


def explanations(alert: Alert) -> dict[str, str]:
    return {"summary": alert.summary, "runbook": f"{alert.document}#{alert.section}"}


def rule_file(alerts: Iterable[Alert] = CATALOGUE) -> dict[str, Any]:
    """The content of a rule file with one group."""
    rules = [
        {
            "alert": alert.name,
            "expr": alert.expression,
            "for": f"{int(alert.lasting.total_seconds())}s",
            "labels": labels(alert),
            "annotations": explanations(alert),
        }
        for alert in alerts
    ]
    interval = f"{int(INTERVAL.total_seconds())}s"
    return {"groups": [{"name": GROUP, "interval": interval, "rules": rules}]}


def render(alerts: Iterable[Alert] = CATALOGUE) -> str:
    """As YAML text."""
    return yaml.safe_dump(rule_file(alerts), sort_keys=False, width=200)


if __name__ == "__main__":
    print(render(), end="")  # noqa: T201 - its output is the rule file
