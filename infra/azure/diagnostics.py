"""Diagnostic settings: every service sends its logs and metrics to the environment's workspace."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import monitor


def diagnose(
    name: str,
    target: pulumi.Input[str],
    workspace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
    *,
    logs: Sequence[str] = ("audit", "allLogs"),
    metrics: bool = True,
) -> monitor.DiagnosticSetting:
    """Send `target`'s log category groups and, unless it has none, its metrics to `workspace`."""
    return monitor.DiagnosticSetting(
        f"{name}-diagnostics",
        name="to-workspace",
        resource_uri=target,
        workspace_id=workspace,
        logs=[monitor.DiagnosticsLogSettingsArgs(category_group=group, enabled=True) for group in logs],
        metrics=[monitor.DiagnosticsMetricSettingsArgs(category="AllMetrics", enabled=True)]
        if metrics
        else None,
        opts=opts,
    )
