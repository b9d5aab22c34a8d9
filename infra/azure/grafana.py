"""Managed Grafana: dashboards over the Azure Monitor workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import dashboard

from infra.azure.diagnostics import diagnose
from infra.azure.place import Place
from infra.azure.roles import Grantee, Role, grant
from infra.naming import Names


@dataclass(frozen=True)
class GrafanaArgs:
    """`metrics_id` is the Azure Monitor workspace it reads, `workspace_id` where its own logs go."""

    place: Place
    names: Names
    metrics_id: pulumi.Input[str]
    workspace_id: pulumi.Input[str]
    admins: Sequence[Grantee]


class Grafana(pulumi.ComponentResource):
    """People sign in with Entra ID (no API keys, no guests' snapshots); it reads as its own identity."""

    def __init__(self, name: str, args: GrafanaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Grafana", name, None, opts)
        place, child = args.place, pulumi.ResourceOptions(parent=self)
        redundancy = dashboard.ZoneRedundancy
        self.resource = dashboard.Grafana(
            name,
            workspace_name=args.names.grafana,
            resource_group_name=place.resource_group,
            location=place.location,
            sku=dashboard.ResourceSkuArgs(name="Standard"),
            identity=dashboard.ManagedServiceIdentityArgs(
                type=dashboard.ManagedServiceIdentityType.SYSTEM_ASSIGNED
            ),
            properties=dashboard.ManagedGrafanaPropertiesArgs(
                api_key=dashboard.ApiKey.DISABLED,
                zone_redundancy=redundancy.ENABLED if place.zonal else redundancy.DISABLED,
                grafana_configurations=dashboard.GrafanaConfigurationsArgs(
                    snapshots=dashboard.SnapshotsArgs(external_enabled=False)
                ),
                grafana_integrations=dashboard.GrafanaIntegrationsArgs(
                    azure_monitor_workspace_integrations=[
                        dashboard.AzureMonitorWorkspaceIntegrationArgs(
                            azure_monitor_workspace_resource_id=args.metrics_id
                        )
                    ]
                ),
            ),
            tags=place.tags,
            opts=child,
        )
        itself = Grantee(name, self.resource.identity.principal_id)
        grant("read-metrics", Role.MONITORING_DATA_READER, [itself], args.metrics_id, child)
        grant("grafana-admin", Role.GRAFANA_ADMIN, args.admins, self.resource.id, child)
        diagnose(name, self.resource.id, args.workspace_id, child, logs=("allLogs",))
        self.endpoint = self.resource.properties.endpoint
        self.register_outputs({"endpoint": self.endpoint})
