"""Services that private endpoints lead to: a GET of one shows the connections that it has."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sandbox.arm.handler import Handler
from sandbox.arm.resource import Body, Resource
from sandbox.network import endpoints

_PROPERTY = "privateEndpointConnections"


class PrivateLinkTarget(Handler):
    """Adds the connections to what the type shows otherwise. They are the endpoints', not stored here."""

    async def view(self, resource: Resource) -> Body:
        shown = await super().view(resource)
        connections = list(self._connections(resource))
        if connections:
            shown = {**shown, "properties": {**shown["properties"], _PROPERTY: connections}}
        return shown

    def _connections(self, resource: Resource) -> Iterator[Body]:
        scope = f"/subscriptions/{resource.id.subscription}"
        for endpoint in self.services.store.list(type=endpoints.TYPE, under=scope):
            if endpoints.leads_to(endpoint)[0] == resource.id.key:
                yield _connection(resource, endpoint)


def _connection(resource: Resource, endpoint: Resource) -> Body:
    # Azure's names end in a GUID; one derived from the endpoint stays the same.
    name = f"{endpoint.id.name}.{uuid.uuid5(uuid.NAMESPACE_URL, endpoint.id.key)}"
    connection = endpoints.connections(endpoint)[0]
    return {
        "id": f"{resource.id}/{_PROPERTY}/{name}",
        "name": name,
        "type": f"{resource.id.type}/{_PROPERTY}",
        "properties": {
            "privateEndpoint": {"id": str(endpoint.id)},
            "privateLinkServiceConnectionState": connection.get("privateLinkServiceConnectionState"),
            "provisioningState": "Succeeded",
        },
    }
