"""The alerts as rule groups of managed Prometheus; what they say is in `infra/observability`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import alertsmanagement

from infra.azure.place import Place
from infra.observability.alerts import Alert, Channel
from infra.observability.rulefile import GROUP, INTERVAL, explanations, labels


@dataclass(frozen=True)
class AlertRulesArgs:
    """`workspace_id` is the Azure Monitor workspace that `cluster` sends its metrics to.

    `channels` are action groups' ids; a channel that nobody listens to is left out. `location` is the
    workspace's, where that is another region than the stack's.
    """

    name: str
    place: Place
    workspace_id: pulumi.Input[str]
    cluster: pulumi.Input[str]
    cluster_id: pulumi.Input[str]
    channels: Mapping[Channel, pulumi.Input[str]]
    alerts: Sequence[Alert]
    location: str | None = None


class AlertRules(pulumi.ComponentResource):
    """One rule group with these alerts of the catalogue."""

    def __init__(self, name: str, args: AlertRulesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:AlertRules", name, None, opts)
        alertsmanagement.PrometheusRuleGroup(
            name,
            rule_group_name=args.name,
            resource_group_name=args.place.resource_group,
            location=args.location or args.place.location,
            description=f"The {GROUP} platform's alerts",
            enabled=True,
            interval=f"PT{int(INTERVAL.total_seconds() // 60)}M",
            cluster_name=args.cluster,
            scopes=[args.workspace_id, args.cluster_id],
            rules=[_rule(alert, args.channels) for alert in args.alerts],
            tags=args.place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _rule(alert: Alert, channels: Mapping[Channel, pulumi.Input[str]]) -> alertsmanagement.PrometheusRuleArgs:
    minutes = int(alert.lasting.total_seconds() // 60)
    return alertsmanagement.PrometheusRuleArgs(
        alert=alert.name,
        enabled=True,
        expression=alert.expression,
        for_=f"PT{minutes}M",
        severity=alert.severity.value,
        labels=labels(alert),
        annotations=explanations(alert),
        actions=[
            alertsmanagement.PrometheusRuleGroupActionArgs(action_group_id=channels[channel])
            for channel in alert.channels
            if channel in channels
        ],
        resolve_configuration=alertsmanagement.PrometheusRuleResolveConfigurationArgs(
            auto_resolved=True, time_to_resolve="PT10M"
        ),
    )
