"""`Microsoft.Monitor/accounts`: Azure Monitor workspaces, where Prometheus metrics go.

Each brings a group of its own with a default endpoint and rule for what is to be sent to it.
https://learn.microsoft.com/azure/azure-monitor/metrics/azure-monitor-workspace-overview
"""

from __future__ import annotations

import copy
import time
import uuid

from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure import checks
from sandbox.azure.insights.collection import ACCOUNT_TYPE, ENDPOINT_TYPE, RULE_TYPE

_STREAM = "Microsoft-PrometheusMetrics"
_DESTINATION = "MonitoringAccount1"


class MonitorAccountHandler(Handler):
    type = ACCOUNT_TYPE

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        before = put.previous.properties if put.previous else {}
        region, suffix = body["location"], self.services.names.suffix
        sent = body.get("properties") or {}
        account = before.get("accountId") or str(uuid.uuid4())
        host = f"{put.id.name.lower()}-{checks.word(put.id, 4)}.{region}.prometheus.monitor.{suffix}"
        group = _group(put.id, region)
        body["properties"] = {
            "publicNetworkAccess": sent.get("publicNetworkAccess") or "Enabled",
            "accountId": account,
            "metrics": {
                **(sent.get("metrics") or {}),
                "prometheusQueryEndpoint": f"https://{host}",
                "internalId": f"mac_{account}",
            },
            "defaultIngestionSettings": {
                "dataCollectionEndpointResourceId": f"{group}/providers/{ENDPOINT_TYPE}/{put.id.name}",
                "dataCollectionRuleResourceId": f"{group}/providers/{RULE_TYPE}/{put.id.name}",
            },
        }
        return body

    async def provision(self, resource: Resource) -> None:
        now = time.time()
        group = _group(resource.id, resource.location or "")
        if self.services.store.get(group) is None:
            body: Body = {
                "location": resource.location,
                "managedBy": str(resource.id),
                "properties": {"provisioningState": "Succeeded"},
            }
            self.services.store.save(Resource(group, body, now, now))
        settings = resource.properties["defaultIngestionSettings"]
        endpoint = parse_id(settings["dataCollectionEndpointResourceId"])
        rule = parse_id(settings["dataCollectionRuleResourceId"])
        if self.services.store.get(rule) is None:
            self._save(endpoint, resource, _endpoint(endpoint, resource, self.services.names.suffix), now)
            self._save(rule, resource, _rule(endpoint, resource), now)

    async def delete(self, resource: Resource) -> None:
        group = _group(resource.id, resource.location or "")
        for member in self.services.store.list(under=str(group)):
            self.services.store.remove(member.id)
        if self.services.store.get(group) is not None:
            self.services.store.remove(group)

    def _save(self, id: ResourceId, account: Resource, properties: Body, now: float) -> None:  # noqa: A002
        body = {
            "location": account.location,
            "properties": {**properties, "provisioningState": "Succeeded"},
        }
        self.services.store.save(Resource(id, body, now, now))


def _group(id: ResourceId, region: str) -> ResourceId:  # noqa: A002
    return parse_id(f"/subscriptions/{id.subscription}/resourceGroups/MA_{id.name}_{region}_managed")


def _endpoint(id: ResourceId, account: Resource, suffix: str) -> Body:  # noqa: A002
    name = f"{id.name.lower()}-{checks.word(id, 4)}.{account.location}-1"
    return {
        "immutableId": f"dce-{uuid.uuid4().hex}",
        "configurationAccess": {"endpoint": f"https://{name}.handler.control.monitor.{suffix}"},
        "logsIngestion": {"endpoint": f"https://{name}.ingest.monitor.{suffix}"},
        "metricsIngestion": {"endpoint": f"https://{name}.metrics.ingest.monitor.{suffix}"},
        "networkAcls": {"publicNetworkAccess": "Enabled"},
    }


def _rule(endpoint: ResourceId, account: Resource) -> Body:
    destination = {
        "name": _DESTINATION,
        "accountResourceId": str(account.id),
        "accountId": account.properties["accountId"],
    }
    return {
        "immutableId": f"dcr-{uuid.uuid4().hex}",
        "dataCollectionEndpointId": str(endpoint),
        "dataSources": {"prometheusForwarder": [{"name": "PrometheusDataSource", "streams": [_STREAM]}]},
        "destinations": {"monitoringAccounts": [destination]},
        "dataFlows": [{"streams": [_STREAM], "destinations": [_DESTINATION]}],
    }


HANDLERS = (MonitorAccountHandler,)
