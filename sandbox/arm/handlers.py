"""Which handler acts for a type."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.arm.handler import Handler
from sandbox.arm.resource import Body, Resource


class Handlers:
    """The handler of every type; those without one of their own share the default behaviour."""

    def __init__(self, handlers: Iterable[Handler], default: Handler) -> None:
        self._handlers = {handler.type.lower(): handler for handler in handlers}
        self._default = default

    def of(self, type_name: str) -> Handler:
        return self._handlers.get(type_name.lower(), self._default)

    async def view(self, resource: Resource) -> Body:
        """A resource as a GET shows it."""
        return await self.of(resource.id.type).view(resource)

    def all(self) -> list[Handler]:
        return list(self._handlers.values())


def overrides(handler: Handler, method: str) -> bool:
    """Whether a handler does something of its own there."""
    return getattr(type(handler), method) is not getattr(Handler, method)
