"""`Microsoft.EventGrid/topics`: names unique in a region, an endpoint, keys.

Source: https://learn.microsoft.com/rest/api/eventgrid/controlplane/topics
"""

from __future__ import annotations

import copy
import ipaddress
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Action, Call, Put
from sandbox.arm.resource import Body, Resource
from sandbox.azure.account_keys import account_keys
from sandbox.azure.eventgrid import naming
from sandbox.azure.eventgrid.formats import CLOUD_EVENTS, EVENT_GRID
from sandbox.azure.private_link import PrivateLinkTarget

_RESERVED = ("microsoft", "eventgrid", "system")
_KEYS = {"key1": 1, "key2": 2}
_SCHEMAS = {name.lower(): name for name in (CLOUD_EVENTS, EVENT_GRID)}
#: Source: https://learn.microsoft.com/azure/event-grid/quotas-limits
_MOST_RULES = 128


class TopicHandler(PrivateLinkTarget):
    type = naming.TOPIC
    long_running = True
    #: The official client takes nothing else.
    updated_status = 201

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        name = put.id.name
        if name.lower().startswith(_RESERVED):
            raise bad_request(
                "InvalidRequest", f"The topic name '{name}' starts with a reserved word.", "name"
            )
        schema = _schema(properties)
        if put.previous is not None and put.previous.properties["inputSchema"] != schema:
            raise bad_request(
                "InvalidRequest", "The inputSchema of a topic cannot be changed.", "properties.inputSchema"
            )
        _check_rules(properties.get("inboundIpRules") or [])
        taken = naming.topic_named(self.services.store, name, put.body.get("location"))
        if taken is not None and taken.id != put.id:
            raise conflict(
                "Conflict", "Topic with the specified name already exists. Choose a different topic name."
            )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        before = put.previous.properties if put.previous else {}
        sent = {key: value for key, value in (body.get("properties") or {}).items() if value is not None}
        body["properties"] = {
            "publicNetworkAccess": "Enabled",
            "inboundIpRules": [],
            "disableLocalAuth": False,
            "dataResidencyBoundary": "WithinGeopair",
            **sent,
            "inputSchema": _schema(sent),
            "endpoint": naming.endpoint(self.services.names, put.id.name, str(body.get("location"))),
            "metricResourceId": before.get("metricResourceId") or str(uuid.uuid4()),
            "privateEndpointConnections": before.get("privateEndpointConnections", []),
        }
        return body

    async def provision(self, resource: Resource) -> None:
        self.services.hosts.publish(self._host(resource))

    async def resume(self, resource: Resource) -> None:
        await self.provision(resource)

    async def delete(self, resource: Resource) -> None:
        self.services.hosts.withdraw(self._host(resource))

    def actions(self) -> Mapping[str, Action]:
        return {"listKeys": self._list_keys, "regenerateKey": self._regenerate_key}

    async def _list_keys(self, call: Call) -> Any:
        """Answered even where local authentication is off: such keys exist, and open nothing."""
        keys = account_keys(self.services.config.state)
        return {name: keys.get(call.resource, slot) for name, slot in _KEYS.items()}

    async def _regenerate_key(self, call: Call) -> Any:
        name = str(call.body.get("keyName"))
        if name not in _KEYS:
            raise bad_request("InvalidRequest", f"'{name}' is not one of key1 and key2.", "keyName")
        account_keys(self.services.config.state).regenerate(call.resource, _KEYS[name])
        return await self._list_keys(call)

    def _host(self, resource: Resource) -> str:
        return naming.host(self.services.names, resource.id.name, str(resource.location))


def _schema(properties: Mapping[str, Any]) -> str:
    """The input schema in its own spelling. Raises ArmError for the one that the sandbox does not have."""
    sent = str(properties.get("inputSchema") or EVENT_GRID)
    if sent.lower() not in _SCHEMAS:
        raise ArmError(
            501,
            "NotImplemented",
            f"The inputSchema '{sent}' is not implemented by the sandbox; it has {EVENT_GRID} and "
            f"{CLOUD_EVENTS}.",
            "properties.inputSchema",
        )
    return _SCHEMAS[sent.lower()]


def _check_rules(rules: list[Body]) -> None:
    if len(rules) > _MOST_RULES:
        raise bad_request(
            "InvalidRequest", f"A topic has at most {_MOST_RULES} IP rules.", "properties.inboundIpRules"
        )
    for number, rule in enumerate(rules):
        try:
            ipaddress.ip_network(str(rule.get("ipMask")), strict=False)
        except ValueError as error:
            where = f"properties.inboundIpRules[{number}].ipMask"
            raise bad_request(
                "InvalidRequest", f"'{rule.get('ipMask')}' is no CIDR: {error}.", where
            ) from error
