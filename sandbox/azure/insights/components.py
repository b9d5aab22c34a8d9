"""`Microsoft.Insights/components`: where an application sends its telemetry to."""

from __future__ import annotations

import copy
import uuid
from datetime import UTC, datetime

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.azure import checks
from sandbox.azure.insights.telemetry import naming

TYPE = naming.COMPONENT
WORKSPACE_TYPE = naming.WORKSPACE
#: Days that Azure lets data be kept.
_RETENTION = (30, 60, 90, 120, 180, 270, 365, 550, 730)


class ComponentHandler(Handler):
    type = TYPE
    created_status = 200

    async def check(self, put: Put) -> None:
        """Classic components, which kept their own data, can no longer be made:
        https://learn.microsoft.com/azure/azure-monitor/app/convert-classic-resource"""
        sent = put.body.get("properties") or {}
        workspace, target = sent.get("WorkspaceResourceId"), "properties.WorkspaceResourceId"
        if not workspace:
            raise bad_request(
                "BadRequest",
                "Application Insights needs a Log Analytics workspace: 'WorkspaceResourceId' is missing.",
                target,
            )
        checks.require(self.services.store, workspace, target, WORKSPACE_TYPE)
        if sent.get("RetentionInDays") is not None:
            checks.one_of(sent["RetentionInDays"], _RETENTION, "properties.RetentionInDays")
        sampling = sent.get("SamplingPercentage")
        if sampling is not None and not 0 < sampling <= 100:
            raise bad_request(
                "BadRequest", f"{sampling} is no percentage above 0.", "properties.SamplingPercentage"
            )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        before = put.previous.properties if put.previous else {}
        sent = {key: value for key, value in body["properties"].items() if value is not None}
        region, names = put.body["location"], self.services.names
        key = before.get("InstrumentationKey") or str(uuid.uuid4())
        app = before.get("AppId") or str(uuid.uuid4())
        created = before.get("CreationDate") or datetime.now(UTC).isoformat()
        body["properties"] = {
            "Flow_Type": "Bluefield",
            "Request_Source": "rest",
            "RetentionInDays": 90,
            "IngestionMode": "LogAnalytics",
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
            **sent,
            "ApplicationId": put.id.name,
            "AppId": app,
            "Name": put.id.name,
            "CreationDate": created,
            "TenantId": put.id.subscription,
            "InstrumentationKey": key,
            "ConnectionString": ";".join(
                (
                    f"InstrumentationKey={key}",
                    f"IngestionEndpoint=https://{naming.ingestion_host(names, region)}/",
                    f"LiveEndpoint=https://{region}.livediagnostics.monitor.{names.suffix}/",
                    # Clouds other than the public one say what tokens are to be made out to.
                    f"AADAudience={naming.audience(names)}",
                    f"ApplicationId={app}",
                )
            ),
        }
        return body

    async def provision(self, resource: Resource) -> None:
        self.services.hosts.publish(self._host(resource))

    async def resume(self, resource: Resource) -> None:
        await self.provision(resource)

    async def delete(self, resource: Resource) -> None:
        """What was sent stays in the workspace. The region's endpoint goes with its last component."""
        others = (one for one in self.services.store.list(type=TYPE) if one.id != resource.id)
        if all(one.location != resource.location for one in others):
            self.services.hosts.withdraw(self._host(resource))

    def _host(self, resource: Resource) -> str:
        return naming.ingestion_host(self.services.names, str(resource.location))
