"""What the cluster reports: metrics to the Azure Monitor workspace, pods' logs to Log Analytics."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import monitor

from infra.azure.place import Place
from infra.naming import Names

_PROMETHEUS = "Microsoft-PrometheusMetrics"
# Logs and events; figures come from Prometheus and are not paid for twice.
# https://learn.microsoft.com/azure/azure-monitor/containers/container-insights-cost-config
_LOGS = ("Microsoft-ContainerLogV2", "Microsoft-KubeEvents", "Microsoft-KubePodInventory")


@dataclass(frozen=True)
class MonitoringArgs:
    """`metrics_id` is the Azure Monitor workspace, `workspace_id` the one of Log Analytics."""

    place: Place
    names: Names
    cluster_id: pulumi.Input[str]
    metrics_id: pulumi.Input[str]
    workspace_id: pulumi.Input[str]


class Monitoring(pulumi.ComponentResource):
    """The rules that the cluster's two monitoring add-ons ask for what to collect and where to send it."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Monitoring", name, None, opts)
        self._args = args
        self._associate("metrics", self._metrics_rule())
        # The add-on finds its rule by the association's name.
        self._associate("logs", self._logs_rule(), association="ContainerInsightsExtension")
        self.register_outputs({})

    def _metrics_rule(self) -> monitor.DataCollectionRule:
        """https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-enable"""
        args, place = self._args, self._args.place
        endpoint = monitor.DataCollectionEndpoint(
            "metrics",
            data_collection_endpoint_name=args.names.collection_endpoint,
            resource_group_name=place.resource_group,
            location=place.location,
            kind=monitor.KnownDataCollectionEndpointResourceKind.LINUX,
            network_acls=monitor.DataCollectionEndpointNetworkAclsArgs(
                public_network_access=monitor.KnownPublicNetworkAccessOptions.ENABLED
            ),
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return monitor.DataCollectionRule(
            "metrics",
            data_collection_rule_name=args.names.collection_rule("metrics"),
            resource_group_name=place.resource_group,
            location=place.location,
            kind=monitor.KnownDataCollectionRuleResourceKind.LINUX,
            data_collection_endpoint_id=endpoint.id,
            data_sources=monitor.DataCollectionRuleDataSourcesArgs(
                prometheus_forwarder=[
                    monitor.PrometheusForwarderDataSourceArgs(name="prometheus", streams=[_PROMETHEUS])
                ]
            ),
            destinations=monitor.DataCollectionRuleDestinationsArgs(
                monitoring_accounts=[
                    monitor.MonitoringAccountDestinationArgs(
                        name="workspace", account_resource_id=args.metrics_id
                    )
                ]
            ),
            data_flows=[monitor.DataFlowArgs(streams=[_PROMETHEUS], destinations=["workspace"])],
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _logs_rule(self) -> monitor.DataCollectionRule:
        args, place = self._args, self._args.place
        return monitor.DataCollectionRule(
            "logs",
            data_collection_rule_name=args.names.collection_rule("logs"),
            resource_group_name=place.resource_group,
            location=place.location,
            kind=monitor.KnownDataCollectionRuleResourceKind.LINUX,
            data_sources=monitor.DataCollectionRuleDataSourcesArgs(
                extensions=[
                    monitor.ExtensionDataSourceArgs(
                        name="containers",
                        extension_name="ContainerInsights",
                        streams=list(_LOGS),
                        extension_settings={
                            "dataCollectionSettings": {
                                "interval": "1m",
                                "namespaceFilteringMode": "Off",
                                "enableContainerLogV2": True,
                            }
                        },
                    )
                ]
            ),
            destinations=monitor.DataCollectionRuleDestinationsArgs(
                log_analytics=[
                    monitor.LogAnalyticsDestinationArgs(
                        name="workspace", workspace_resource_id=args.workspace_id
                    )
                ]
            ),
            data_flows=[monitor.DataFlowArgs(streams=list(_LOGS), destinations=["workspace"])],
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _associate(self, key: str, rule: monitor.DataCollectionRule, association: str | None = None) -> None:
        monitor.DataCollectionRuleAssociation(
            key,
            association_name=association or key,
            resource_uri=self._args.cluster_id,
            data_collection_rule_id=rule.id,
            opts=pulumi.ResourceOptions(parent=self),
        )
