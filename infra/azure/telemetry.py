"""Log Analytics: where every diagnostic setting sends to."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import operationalinsights


@dataclass(frozen=True)
class TelemetryArgs:
    workspace: str
    resource_group: pulumi.Input[str]
    retention_days: int
    tags: dict[str, str]


class Telemetry(pulumi.ComponentResource):
    """The workspace. `retention_days` between 30 and 730, Azure's bounds for interactive retention."""

    def __init__(self, name: str, args: TelemetryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Telemetry", name, None, opts)
        self.workspace = operationalinsights.Workspace(
            name,
            workspace_name=args.workspace,
            resource_group_name=args.resource_group,
            sku=operationalinsights.WorkspaceSkuArgs(
                name=operationalinsights.WorkspaceSkuNameEnum.PER_GB2018
            ),
            retention_in_days=args.retention_days,
            features=operationalinsights.WorkspaceFeaturesArgs(disable_local_auth=True),
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.workspace_id = self.workspace.id
        self.register_outputs({"workspaceId": self.workspace_id})
