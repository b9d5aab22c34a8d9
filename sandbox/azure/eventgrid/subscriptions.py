"""Event subscriptions, as extensions of a topic and as children of it.

Source: https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions. On other scopes
(resource groups, storage accounts …) Azure delivers events of its own; the sandbox has none of those, so it
refuses such a subscription.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.regions import normalise
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.eventgrid import destinations, naming, settings, subscription_body
from sandbox.azure.eventgrid.grid import grid
from sandbox.azure.eventgrid.webhooks import shake_hands, webhook_client

_READ = "Microsoft.EventGrid/eventSubscriptions/read"


class _SubscriptionHandler(Handler):
    long_running = True
    #: The official client takes nothing else.
    updated_status = 201

    def patch(self, body: Body) -> Body:
        """Updates are sent without the `properties` around them."""
        return body if "properties" in body else {"properties": body}

    async def check(self, put: Put) -> None:
        topic = self._topic(put.id)
        properties = put.body.get("properties") or {}
        subscription_body.check(properties, topic)
        destinations.check(self.services, put.principal, topic, properties)

    async def fill(self, put: Put) -> Body:
        return subscription_body.fill(put.body, self._topic(put.id))

    async def provision(self, resource: Resource) -> None:
        target = settings.destination(resource.properties)
        if target is not None and target.kind == "WebHook":
            client = webhook_client(self.services.config)
            async with client:
                await shake_hands(
                    client,
                    str(target.properties["endpointUrl"]),
                    schema=resource.properties["eventDeliverySchema"],
                    topic=resource.properties["topic"],
                    origin=naming.domain(self.services.names),
                )
        grid(self.services).open(resource)

    async def resume(self, resource: Resource) -> None:
        """Without another handshake."""
        grid(self.services).open(resource)

    async def view(self, resource: Resource) -> Body:
        return subscription_body.shown(resource)

    async def delete(self, resource: Resource) -> None:
        await grid(self.services).close(resource)

    def actions(self) -> Mapping[str, Action]:
        return {"getFullUrl": self._full_url, "getDeliveryAttributes": self._delivery_attributes}

    async def _full_url(self, call: Call) -> Any:
        target = settings.destination(call.resource.properties)
        return {"endpointUrl": target.properties.get("endpointUrl") if target else None}

    async def _delivery_attributes(self, call: Call) -> Any:
        target = settings.destination(call.resource.properties)
        return {"value": (target.properties.get("deliveryAttributeMappings") or []) if target else []}

    def _topic(self, id: ResourceId) -> Resource:  # noqa: A002
        topic = naming.topic_of(self.services.store, id)
        if topic is None:
            raise ArmError(
                501,
                "NotImplemented",
                f"The sandbox has events of custom topics only; '{id.scope}' is not one.",
            )
        return topic


class ExtensionSubscriptionHandler(_SubscriptionHandler):
    type = naming.EXTENSION_SUBSCRIPTION

    def operations(self) -> Sequence[Operation]:
        """Listings by location, which clients without a topic's id use."""
        tail = "/providers/Microsoft.EventGrid/locations/{location}/eventSubscriptions"
        subscription = "/subscriptions/{subscription}"
        return (
            Operation("GET", subscription + tail, _READ, self._regional),
            Operation("GET", f"{subscription}/resourceGroups/{{group}}{tail}", _READ, self._regional),
        )

    async def _regional(self, call: OperationCall) -> Answer:
        scope = f"/subscriptions/{call.parameters['subscription']}"
        if "group" in call.parameters:
            scope += f"/resourceGroups/{call.parameters['group']}"
        region = normalise(call.parameters["location"])
        found = []
        for one in self.services.store.list(type=self.type, under=scope):
            topic = naming.topic_of(self.services.store, one.id)
            if topic is not None and topic.location == region:
                found.append(await self.view(one))
        return Answer(body={"value": found})


class TopicSubscriptionHandler(_SubscriptionHandler):
    type = naming.TOPIC_SUBSCRIPTION
