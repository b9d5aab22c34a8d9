"""Who watches a stack with agents: metrics, dashboards, alerts and a budget."""

from __future__ import annotations

from infra.azure.alert_rules import AlertRules, AlertRulesArgs
from infra.azure.alerts import Alerts, AlertsArgs
from infra.azure.budget import Budget, BudgetArgs
from infra.azure.cluster import Cluster
from infra.azure.grafana import Grafana, GrafanaArgs
from infra.azure.monitoring import Monitoring, MonitoringArgs
from infra.observability.alerts import ALERTS, Alert
from infra.observability.drill_alerts import DRILL_ALERTS
from infra.settings import Settings
from infra.stacks.ground import Ground


def watch(ground: Ground, cluster: Cluster) -> Grafana:
    settings, names, place = ground.settings, ground.names, ground.place
    metrics, workspace = ground.telemetry.metrics_id, ground.workspace
    Monitoring("monitoring", MonitoringArgs(place, names, cluster.id, metrics, workspace))
    grafana = Grafana("grafana", GrafanaArgs(place, names, metrics, workspace, ground.operators))
    alerts = Alerts("alerts", AlertsArgs(place, settings.alerts, ground.group.id))
    AlertRules(
        "alert-rules",
        AlertRulesArgs(
            name=names.alert_rules,
            place=place,
            workspace_id=metrics,
            cluster=cluster.name,
            cluster_id=cluster.id,
            channels=alerts.channels,
            alerts=rules_of(settings),
        ),
    )
    Budget(
        "budget",
        BudgetArgs(
            name=names.budget,
            scope=ground.group.id,
            settings=settings.budget,
            emails=settings.alerts.emails,
            groups=alerts.warning,
        ),
    )
    return grafana


def rules_of(settings: Settings) -> tuple[Alert, ...]:
    """A stamp is not drilled, whatever is said of its source."""
    drilled = settings.alerts.drills and settings.role == "environment"
    return (*ALERTS, *DRILL_ALERTS) if drilled else ALERTS
