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
    categories: Sequence[str] = (),
    metrics: bool = True,
) -> monitor.DiagnosticSetting:
    """Send `target`'s log category groups and, unless it has none, its metrics to `workspace`.

    With `categories`, these logs instead of whole groups, in tables of their own (`AKSAuditAdmin`) instead of
    the one that every service shares.
    """
    if categories:
        wanted = [monitor.DiagnosticsLogSettingsArgs(category=one, enabled=True) for one in categories]
    else:
        wanted = [monitor.DiagnosticsLogSettingsArgs(category_group=one, enabled=True) for one in logs]
    return monitor.DiagnosticSetting(
        f"{name}-diagnostics",
        name="to-workspace",
        resource_uri=target,
        workspace_id=workspace,
        log_analytics_destination_type="Dedicated" if categories else None,
        logs=wanted or None,
        metrics=[monitor.DiagnosticsMetricSettingsArgs(category="AllMetrics", enabled=True)]
        if metrics
        else None,
        opts=opts,
    )
