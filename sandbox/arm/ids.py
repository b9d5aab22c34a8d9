"""ARM paths and resource ids: parsing, parents, and the canonical spelling of new ids.

A path is read as ARM reads it: `subscriptions/S`, `resourceGroups/G`, then blocks of
`providers/NAMESPACE/type/name/type/name…`; a later `providers` block is an extension of what precedes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.resource import ResourceId

GROUP_TYPE = "Microsoft.Resources/resourceGroups"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"
# The generic operations of Azure's SDKs write a place for a parent between namespace and type, empty where
# there is none (`az resource show`).
_NO_PARENT = re.compile(r"(/providers/[^/]+)//", re.IGNORECASE)


@dataclass(frozen=True)
class Path:
    """A parsed path: a resource (as many names as types) or a collection or action (one type more)."""

    text: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]
    scope: str
    subscription: str | None
    group: str | None

    @property
    def type(self) -> str:
        return "/".join((self.namespace, *self.types))

    @property
    def is_resource(self) -> bool:
        return len(self.types) == len(self.names)

    @property
    def id(self) -> ResourceId:
        """The resource this path names. Raises ArmError when it names a collection."""
        if not self.is_resource:
            raise bad_request("InvalidResourceId", f"'{self.text}' does not name a resource.")
        return ResourceId(self.text, self.type, self.names, self.scope, self.subscription, self.group)

    @property
    def owner(self) -> ResourceId | None:
        """What a collection or an action belongs to: the resource, or None at a scope outside any."""
        if self.names:
            return parse_id(self.text.rpartition("/")[0])
        return parse_id(self.scope) if self.scope else None


def _blocks(parts: list[str]) -> list[list[str]]:
    """Split at every `providers` in key position: the head, then one block per provider."""
    blocks: list[list[str]] = [[]]
    position = 0
    for part in parts:
        if part.lower() == "providers" and position % 2 == 0:
            blocks.append([])
            # A block is NAMESPACE (type name)*: the namespace takes the value's place.
            position = 1
            continue
        blocks[-1].append(part)
        position += 1
    return blocks


def _head(parts: list[str], text: str) -> tuple[str | None, str | None, Path | None]:
    """Subscription, group, and the path when there is nothing below them."""
    keys = [part.lower() for part in parts[::2]]
    if keys not in ([], ["subscriptions"], ["subscriptions", "resourcegroups"]):
        raise ArmError(
            404, "InvalidResourceId", f"The path '{text}' is not one that Azure Resource Manager serves."
        )
    subscription = parts[1] if len(parts) > 1 else None
    group = parts[3] if len(parts) > 3 else None
    if len(parts) > 2:
        scope = f"/subscriptions/{subscription}"
        names = (group,) if group else ()
        return (
            subscription,
            group,
            Path(text, "Microsoft.Resources", ("resourceGroups",), names, scope, subscription, group),
        )
    names = (subscription,) if subscription else ()
    return (
        subscription,
        group,
        Path(text, "Microsoft.Resources", ("subscriptions",), names, "", subscription, None),
    )


def parse(text: str) -> Path:
    """Read a path. Raises ArmError 404 for what is no ARM path at all, 400 for empty segments."""
    text = _NO_PARENT.sub(r"\1/", "/" + text.strip("/"))
    parts = text[1:].split("/")
    if not all(parts):
        raise bad_request("InvalidResourceId", f"The path '{text}' has an empty segment.")
    head, *blocks = _blocks(parts)
    subscription, group, path = _head(head, text)
    if not blocks and path is not None:
        return path
    last = blocks[-1]
    if len(last) < 2:
        raise ArmError(404, "InvalidResourceType", f"The path '{text}' names no resource type.")
    scope = text[: len(text) - len("/".join(last)) - len("/providers/")]
    return Path(text, last[0], tuple(last[1::2]), tuple(last[2::2]), scope, subscription, group)


def parse_id(text: str) -> ResourceId:
    """Read a resource id. Raises ArmError for anything else."""
    return parse(text).id


def parent(id: ResourceId) -> ResourceId | None:  # noqa: A002
    """What must exist before `id` can: the enclosing resource, the resource extended, the group, or the
    subscription. None for a subscription and for what lies at the tenant's root."""
    text = id.text.rsplit("/", 2)[0] if len(id.names) > 1 else id.scope
    return parse_id(text) if text else None


def ancestors(id: ResourceId) -> list[ResourceId]:  # noqa: A002
    """Parents, nearest first."""
    found = []
    above = parent(id)
    while above is not None:
        found.append(above)
        above = parent(above)
    return found


def child(above: str, type_name: str, name: str) -> ResourceId:
    """The id of `name` below `above`, an id in its canonical spelling. `type_name` is the full type."""
    if type_name == GROUP_TYPE:
        return parse_id(f"{above}/resourceGroups/{name}")
    namespace, *types = type_name.split("/")
    tail = f"/{types[-1]}/{name}"
    return parse_id(above + tail if len(types) > 1 else f"{above}/providers/{namespace}{tail}")
