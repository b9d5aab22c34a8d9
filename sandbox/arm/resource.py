"""Resource ids and stored resources: the values every resource provider works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class ResourceId:
    """A parsed ARM id. Comparison is case-insensitive, as on Azure; `str()` keeps the caller's case.

    `/subscriptions/S/resourceGroups/G/providers/NS/a/x/b/y` has type `NS/a/b`, names `("x", "y")`.
    Extension resources (`SCOPE/providers/Microsoft.Authorization/roleAssignments/N`) keep their scope in
    `scope`. A resource group itself has type `Microsoft.Resources/resourceGroups`.
    """

    text: str
    type: str
    names: tuple[str, ...]
    scope: str
    subscription: str | None
    group: str | None

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def key(self) -> str:
        """What two spellings of one id share."""
        return self.text.lower()

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceId) and self.key == other.key


@dataclass
class Resource:
    """A resource as stored: `body` is its wire form without `id`, `name` and `type`."""

    id: ResourceId
    body: Body
    created_at: float
    changed_at: float

    @property
    def properties(self) -> Body:
        properties: Body = self.body.setdefault("properties", {})
        return properties

    @property
    def location(self) -> str | None:
        return self.body.get("location")

    def wire(self) -> Body:
        """The body as ARM answers it."""
        return {"id": self.id.text, "name": self.id.name, "type": self.id.type, **self.body}
