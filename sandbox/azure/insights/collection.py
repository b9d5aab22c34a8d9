"""Data collection: endpoints, rules, and their associations with what is collected from."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.azure import checks
from sandbox.azure.insights.components import WORKSPACE_TYPE

ENDPOINT_TYPE = "Microsoft.Insights/dataCollectionEndpoints"
RULE_TYPE = "Microsoft.Insights/dataCollectionRules"
ASSOCIATION_TYPE = "Microsoft.Insights/dataCollectionRuleAssociations"
ACCOUNT_TYPE = "Microsoft.Monitor/accounts"
#: The association by which a machine learns of its endpoint.
_ENDPOINT_ASSOCIATION = "configurationAccessEndpoint"


class EndpointHandler(Handler):
    type = ENDPOINT_TYPE

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        before = put.previous.properties if put.previous else {}
        properties = body.setdefault("properties", {})
        name = f"{put.id.name.lower()}-{checks.word(put.id, 4)}.{put.body['location']}-1"
        suffix = self.services.names.suffix
        properties["immutableId"] = before.get("immutableId") or f"dce-{uuid.uuid4().hex}"
        properties["configurationAccess"] = {"endpoint": f"https://{name}.handler.control.monitor.{suffix}"}
        properties["logsIngestion"] = {"endpoint": f"https://{name}.ingest.monitor.{suffix}"}
        properties["metricsIngestion"] = {"endpoint": f"https://{name}.metrics.ingest.monitor.{suffix}"}
        properties.setdefault("networkAcls", {}).setdefault("publicNetworkAccess", "Enabled")
        return body

    async def check_delete(self, resource: Resource) -> None:
        for kind in (RULE_TYPE, ASSOCIATION_TYPE):
            for user in self.services.store.list(type=kind):
                if str(user.properties.get("dataCollectionEndpointId", "")).lower() == resource.id.key:
                    raise _in_use(resource, user)


class RuleHandler(Handler):
    type = RULE_TYPE

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        endpoint = properties.get("dataCollectionEndpointId")
        if endpoint:
            target = "properties.dataCollectionEndpointId"
            checks.require(self.services.store, endpoint, target, ENDPOINT_TYPE)
        names = self._destinations(properties.get("destinations") or {})
        for number, flow in enumerate(properties.get("dataFlows") or ()):
            path = f"properties.dataFlows[{number}]"
            if not flow.get("streams"):
                raise _invalid("A data flow has at least one stream.", f"{path}.streams")
            for destination in flow.get("destinations") or ():
                if destination not in names:
                    raise _invalid(
                        f"The data flow's destination '{destination}' is not among the rule's destinations: "
                        f"{', '.join(sorted(names)) or 'there are none'}.",
                        f"{path}.destinations",
                    )

    def _destinations(self, destinations: dict[str, Any]) -> set[str]:
        """Their names; each once, and each resource must exist."""
        names: set[str] = set()
        for kind, entries in destinations.items():
            listed = entries if isinstance(entries, list) else [entries] if entries else []
            for number, entry in enumerate(listed):
                path = f"properties.destinations.{kind}[{number}]"
                name = entry.get("name") or ""
                if not name or name in names:
                    raise _invalid("Destinations have unique names.", f"{path}.name")
                names.add(name)
                if kind == "logAnalytics":
                    reference = entry.get("workspaceResourceId")
                    checks.require(
                        self.services.store, reference, f"{path}.workspaceResourceId", WORKSPACE_TYPE
                    )
                if kind == "monitoringAccounts":
                    reference = entry.get("accountResourceId")
                    checks.require(self.services.store, reference, f"{path}.accountResourceId", ACCOUNT_TYPE)
        return names

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        before = put.previous.properties if put.previous else {}
        properties = body.setdefault("properties", {})
        properties["immutableId"] = before.get("immutableId") or f"dcr-{uuid.uuid4().hex}"
        destinations = properties.get("destinations") or {}
        for entry in destinations.get("logAnalytics") or ():
            workspace = self.services.store.get(entry["workspaceResourceId"])
            entry["workspaceId"] = workspace.properties.get("customerId") if workspace else None
        for entry in destinations.get("monitoringAccounts") or ():
            account = self.services.store.get(entry["accountResourceId"])
            entry["accountId"] = account.properties.get("accountId") if account else None
        return body

    async def check_delete(self, resource: Resource) -> None:
        for user in self.services.store.list(type=ASSOCIATION_TYPE):
            if str(user.properties.get("dataCollectionRuleId", "")).lower() == resource.id.key:
                raise _in_use(resource, user)


class AssociationHandler(Handler):
    type = ASSOCIATION_TYPE

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        rule, endpoint = properties.get("dataCollectionRuleId"), properties.get("dataCollectionEndpointId")
        if bool(rule) == bool(endpoint):
            raise _invalid("An association names a rule or an endpoint.", "properties")
        if rule:
            checks.require(self.services.store, rule, "properties.dataCollectionRuleId", RULE_TYPE)
            return
        checks.require(self.services.store, endpoint, "properties.dataCollectionEndpointId", ENDPOINT_TYPE)
        if put.id.name.lower() != _ENDPOINT_ASSOCIATION.lower():
            raise _invalid(f"An association with an endpoint is named '{_ENDPOINT_ASSOCIATION}'.", "name")


def _in_use(resource: Resource, user: Resource) -> ArmError:
    return ArmError(
        409,
        "Conflict",
        f"'{resource.id}' cannot be deleted: it is used by '{user.id}'. Delete that first.",
    )


def _invalid(message: str, target: str) -> ArmError:
    return bad_request("InvalidPayload", message, target)
