"""Which regions answer for a resource in Resource Manager, and whether any of them does.

Resource Manager itself is in every region: groups, subscriptions, role assignments, locks, lists of top-level
resources and whatever has no region keep working. A request for one resource is answered by the resource's
provider in the resource's region, and refused when that is down. What lies in a resource (a database, an
agent pool) is where that is; an extension is only of what it extends where both are of one provider, as event
subscriptions of a topic are.

Unlike on Azure, what is in other regions may be changed while its resource group's own region is down:
https://learn.microsoft.com/azure/azure-resource-manager/management/overview#resource-group-location-alignment
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.arm.errors import ArmError
from sandbox.arm.handlers import Handlers
from sandbox.arm.ids import GROUP_TYPE, SUBSCRIPTION_TYPE, Path, parent, parse
from sandbox.arm.regions import normalise
from sandbox.arm.resource import Body, ResourceId
from sandbox.services import Regions, Store

_CLOUD = (GROUP_TYPE.lower(), SUBSCRIPTION_TYPE.lower())


class Homes:
    def __init__(self, store: Store, handlers: Handlers, regions: Regions) -> None:
        self._store = store
        self._handlers = handlers
        self._regions = regions

    def of(self, id: ResourceId | None, body: Body | None = None) -> frozenset[str]:  # noqa: A002
        """The regions, none for what is global. `body` is what is to be made where nothing is yet."""
        while id is not None and id.type.lower() not in _CLOUD:
            found = self._store.get(id)
            homes = self._handlers.of(id.type).homes(found) if found is not None else _sent(body)
            if homes:
                return homes
            id, body = _within(id), None  # noqa: A001
        return frozenset()

    def lost(self, id: ResourceId | None, body: Body | None = None) -> bool:  # noqa: A002
        """Whether none of its regions answers."""
        homes = self.of(id, body)
        return bool(homes) and all(self._regions.is_down(home) for home in homes)

    def require(self, id: ResourceId | None, body: Body | None = None) -> None:  # noqa: A002
        """Raise ArmError 503 when none of its regions answers."""
        if id is not None and self.lost(id, body):
            raise _unavailable(id.type.partition("/")[0], ", ".join(sorted(self.of(id, body))))

    def require_collection(self, path: Path) -> None:
        """Raise ArmError 503 for what lies in one resource; a list of top-level resources is ARM's own."""
        if path.names:
            self.require(path.owner)

    def require_operation(self, text: str, parameters: Mapping[str, str]) -> None:
        """Raise ArmError 503 for an operation in a region that is down: of the provider there, or of a
        resource. Statuses of operations are Resource Manager's own."""
        try:
            path = parse(text)
            owner = path.id if path.is_resource else path.owner
        except ArmError:  # one of Resource Manager's own: of tenants, of all providers
            return
        location = parameters.get("location")
        if location is not None and "operation" not in parameters and self._regions.is_down(location):
            raise _unavailable(path.namespace, normalise(location))
        self.require(owner)

    def down(self, id: ResourceId) -> frozenset[str]:  # noqa: A002
        """Those of its regions that are down."""
        return frozenset(home for home in self.of(id) if self._regions.is_down(home))


def _sent(body: Body | None) -> frozenset[str]:
    """The region that a new resource's body names; what is no text is refused with the rest of the body."""
    location = (body or {}).get("location")
    return frozenset({normalise(location)} if isinstance(location, str) and location else ())


def _within(id: ResourceId) -> ResourceId | None:  # noqa: A002
    """What a resource is part of, and served with."""
    above = parent(id)
    if above is None or len(id.names) > 1:
        return above
    same = above.type.partition("/")[0].lower() == id.type.partition("/")[0].lower()
    return above if same else None


def _unavailable(namespace: str, region: str) -> ArmError:
    return ArmError(
        503,
        "ServiceUnavailable",
        f"The resource provider '{namespace}' is temporarily unavailable in the region '{region}'. Please "
        "try again later.",
    )
