"""Resources whose children may also be written inside them: virtual networks, security groups, route tables.

Children are stored as resources of their own, so both spellings are one; a parent shows them in its body. A
PUT of the parent that lists them makes exactly those; one that does not mention them leaves them alone.
"""

from __future__ import annotations

import copy
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.network import references


def etag() -> str:
    return f'W/"{uuid.uuid4()}"'


def listed(body: Mapping[str, Any], name: str) -> list[Body] | None:
    """The children in a parent's body; None when it does not mention them."""
    value = (body.get("properties") or {}).get(name)
    return list(value) if value is not None else None


class InlineParent(Handler, ABC):
    """`children` is the property, the last part of the child's type, and its path segment: one word."""

    children: ClassVar[str]

    @abstractmethod
    def complete(self, id: ResourceId, properties: Body) -> Body:  # noqa: A002
        """A child's properties with defaults and computed ones."""

    def in_use(self, id: ResourceId, parent: ResourceId) -> None:  # noqa: A002
        """Raise when a child cannot go."""

    def stored(self, id: ResourceId) -> Sequence[Resource]:  # noqa: A002
        return list(self.services.store.list(type=f"{self.type}/{self.children}", under=str(id)))

    async def check(self, put: Put) -> None:
        references.check(self.services.store, put.id, put.body)
        sent = listed(put.body, self.children)
        if sent is None:
            return
        kept = {str(child.get("name")).lower() for child in sent}
        for child in self.stored(put.id):
            if child.id.name.lower() not in kept:
                self.in_use(child.id, put.id)

    async def provision(self, resource: Resource) -> None:
        sent = resource.properties.pop(self.children, None)
        if sent is None:
            return
        before = {child.id.name.lower(): child for child in self.stored(resource.id)}
        now = time.time()
        for child in sent:
            previous = before.pop(str(child["name"]).lower(), None)
            id_ = previous.id if previous else parse_id(f"{resource.id}/{self.children}/{child['name']}")
            properties = self.complete(id_, copy.deepcopy(child.get("properties") or {}))
            body = {"properties": {**properties, "provisioningState": "Succeeded"}, "etag": etag()}
            created = previous.created_at if previous else now
            self.services.store.save(Resource(id_, body, created, now))
        for gone in before.values():
            self.services.store.remove(gone.id)

    async def view(self, resource: Resource) -> Body:
        wire = copy.deepcopy(resource.wire())
        wire.setdefault("properties", {})[self.children] = [
            child.wire() for child in self.stored(resource.id)
        ]
        return wire


class InlineChild(Handler):
    """The child as a resource of its own; `parent_handler` knows what it may be."""

    parent_handler: ClassVar[type[InlineParent]]

    def family(self) -> InlineParent:
        return self.parent_handler(self.services)

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        body["properties"] = self.family().complete(put.id, body.get("properties") or {})
        return body

    async def delete(self, resource: Resource) -> None:
        self.family().in_use(resource.id, resource.id)


def siblings(parent: InlineParent, id: ResourceId) -> dict[str, Body]:  # noqa: A002
    """Properties of the parent's children by name, without `id` itself."""
    above = parse_id(id.text.rsplit("/", 2)[0])
    return {child.id.name: child.properties for child in parent.stored(above) if child.id != id}
