"""Microsoft.AlertsManagement: Prometheus rule groups."""

from __future__ import annotations

from sandbox.azure.alertsmanagement.rule_groups import RuleGroupHandler

HANDLERS = (RuleGroupHandler,)
