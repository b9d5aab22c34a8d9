"""Where everything reports to: Log Analytics, Application Insights, an Azure Monitor workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import applicationinsights, monitor, operationalinsights

from infra.azure.diagnostics import diagnose
from infra.azure.place import Place
from infra.azure.roles import Grantee, Role, grant
from infra.naming import Names
from infra.settings.sections import TelemetrySettings

# What Azure calls a workspace without a daily cap.
_NO_CAP = -1.0


@dataclass(frozen=True)
class TelemetryArgs:
    """`publishers` send traces and metrics, `readers` ask about them and about logs."""

    place: Place
    names: Names
    settings: TelemetrySettings
    publishers: Sequence[Grantee]
    readers: Sequence[Grantee]


class Telemetry(pulumi.ComponentResource):
    """Nothing here takes a key: who sends and who reads signs in with Entra ID and has a role.

    `workspace_id` is Log Analytics, `metrics_id` the Azure Monitor workspace. `connection_string` tells an
    application where Application Insights is; without a role it opens nothing.
    """

    def __init__(self, name: str, args: TelemetryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Telemetry", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        self.workspace = self._workspace(name)
        self.workspace_id = self.workspace.id
        self.insights = self._insights(name)
        self.insights_id = self.insights.id
        self.connection_string = self.insights.connection_string
        self.metrics = monitor.AzureMonitorWorkspace(
            name,
            azure_monitor_workspace_name=args.names.metrics,
            resource_group_name=args.place.resource_group,
            location=args.place.location,
            tags=args.place.tags,
            opts=args.place.stateful(self),
        )
        self.metrics_id = self.metrics.id
        diagnose(name, self.workspace_id, self.workspace_id, child)
        grant("publish", Role.MONITORING_METRICS_PUBLISHER, args.publishers, self.insights_id, child)
        grant("read-traces", Role.MONITORING_READER, args.readers, self.insights_id, child)
        grant("read-logs", Role.LOG_ANALYTICS_DATA_READER, args.readers, self.workspace_id, child)
        grant("read-metrics", Role.MONITORING_DATA_READER, args.readers, self.metrics_id, child)
        self.register_outputs({"workspaceId": self.workspace_id, "metricsId": self.metrics_id})

    def _workspace(self, name: str) -> operationalinsights.Workspace:
        place, settings = self._args.place, self._args.settings
        cap = settings.daily_cap_gb
        return operationalinsights.Workspace(
            name,
            workspace_name=self._args.names.workspace,
            resource_group_name=place.resource_group,
            location=place.location,
            sku=operationalinsights.WorkspaceSkuArgs(
                name=operationalinsights.WorkspaceSkuNameEnum.PER_GB2018
            ),
            retention_in_days=settings.retention_days,
            workspace_capping=operationalinsights.WorkspaceCappingArgs(
                daily_quota_gb=_NO_CAP if cap is None else cap
            ),
            features=operationalinsights.WorkspaceFeaturesArgs(
                disable_local_auth=True, enable_log_access_using_only_resource_permissions=True
            ),
            tags=place.tags,
            opts=place.stateful(self),
        )

    def _insights(self, name: str) -> applicationinsights.Component:
        place = self._args.place
        return applicationinsights.Component(
            name,
            resource_name_=self._args.names.insights,
            resource_group_name=place.resource_group,
            location=place.location,
            kind="web",
            application_type=applicationinsights.ApplicationType.WEB,
            ingestion_mode=applicationinsights.IngestionMode.LOG_ANALYTICS,
            workspace_resource_id=self.workspace_id,
            disable_local_auth=True,
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
