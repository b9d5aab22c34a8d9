"""Objects on the wire while they are merged, and where the SDK's properties sit in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sandbox.types import models, sdk, sdkshapes
from sandbox.types.schema import SdkProperty
from sandbox.types.sdkshapes import SdkClass
from sandbox.types.shapes import Field

BAG = "properties"
#: Names that stand at the top of a resource though no model says so (a newer specification added them).
_TOP = {
    "identity",
    "sku",
    "kind",
    "plan",
    "zones",
    "managedBy",
    "extendedLocation",
    "location",
    "tags",
    "systemData",
}
_LETTERS = re.compile(r"[^a-z0-9]")


@dataclass(frozen=True)
class Sources:
    """The classes that describe one object. `model` is what a PUT takes, `view` what only a GET shows."""

    model: tuple[type, ...] = ()
    view: tuple[type, ...] = ()
    inputs: tuple[SdkClass, ...] = ()
    outputs: tuple[SdkClass, ...] = ()

    @property
    def name(self) -> str:
        parts = [
            *(item.__name__ for item in (*self.model, *self.view)),
            *(i.name for i in (*self.inputs, *self.outputs)),
        ]
        return "|".join(dict.fromkeys(parts)) or "Any"


@dataclass
class Node:
    """An object on the wire while it is being merged: per property, the shapes the four sources give."""

    fields: dict[str, list[tuple[str, Field]]] = field(default_factory=dict)
    nested: dict[str, Node] = field(default_factory=dict)
    root: bool = False

    def add(self, source: str, item: Field, depth: int = 0) -> None:
        name = item.path[depth]
        if depth == len(item.path) - 1:
            self.fields.setdefault(name, []).append((source, item))
        else:
            self.nested.setdefault(name, Node()).add(source, item, depth + 1)

    def names(self) -> set[str]:
        return self.fields.keys() | self.nested.keys()

    def clients(self) -> dict[str, str]:
        """Letters of a property's client and wire names -> wire name."""
        found = {_letters(name): name for name in self.names()}
        for name, items in self.fields.items():
            found.update(
                {_letters(item.attribute): name for source, item in items if source in {"model", "view"}}
            )
        return found


def _letters(name: str) -> str:
    return _LETTERS.sub("", name.lower())


def wire(sources: Sources) -> Node:
    """The object as the models describe it."""
    node = Node()
    known: set[tuple[str, ...]] = set()
    for model in sources.model:
        for item in models.fields(model):
            node.add("model", item)
            known.add(item.path)
    for view in sources.view:
        for item in models.fields(view):
            if item.path in known:
                node.add("view", item)
            else:
                node.add("view", replace(item, read_only=True, required=False))
    return node


def place(
    node: Node,
    renames: Mapping[str, str],
    *,
    inputs: Iterable[sdk.SdkProperty],
    outputs: Iterable[sdk.SdkProperty],
    base: str,
    module: str,
) -> dict[str, SdkProperty]:
    """Puts the SDK's properties into the node and says where each went."""
    given = {item.name: item for item in inputs}
    shown = {item.name: item for item in outputs}
    # A property of that name is not flattened; a vault's key takes it whole and shows what is in it.
    flat = None if BAG in shown else _bag(node)
    bag = None if BAG in given else flat
    placed = {}
    for name in dict.fromkeys([*given, *shown]):
        item = given.get(name) or shown[name]
        level = bag if name in given else flat
        path = _path(node, level, item, renames.get(f"{base}.{name}"), name in given)
        if name in given:
            shape = sdkshapes.shape(given[name].annotation, module, output=False)
            node.add("input", Field(path, given[name].attribute, shape, given[name].required))
        if name in shown:
            shape = sdkshapes.shape(shown[name].annotation, module, output=True)
            node.add("output", Field(path, shown[name].attribute, shape, read_only=name not in given))
        required = name in given and given[name].required
        placed[name] = SdkProperty(path, name in given, name in shown, required)
    return placed


def _path(
    node: Node, bag: Node | None, item: sdk.SdkProperty, renamed: str | None, writable: bool
) -> tuple[str, ...]:
    if renamed and "." in renamed:
        return tuple(renamed.split("."))
    wanted = renamed or item.name
    levels = [((), node)] if bag is None else [((), node), ((BAG,), bag)]
    if writable and bag is not None and wanted in bag.names() and _is_read_only(node, wanted):
        # The name means the writable property in the bag (AgentPool.type).
        return (BAG, wanted)
    for prefix, level in levels:
        if wanted in level.names():
            return (*prefix, wanted)
    for prefix, level in levels:
        clients = level.clients()
        found = clients.get(_letters(item.attribute)) or clients.get(_letters(item.name))
        if found and not renamed:
            return (*prefix, found)
    return (wanted,) if bag is None or (node.root and wanted in _TOP) else (BAG, wanted)


def _bag(node: Node) -> Node | None:
    """The object's `properties`, its models' own properties spread out into it."""
    entries = node.fields.get(BAG)
    if entries is None:
        return node.nested.get(BAG)
    if not all(item.shape.kind in {"object", "any"} for _, item in entries):
        return None
    if any(models.variants(cls) for _, item in entries for cls in item.shape.classes):
        return None
    sources = _classes(entries)
    bag = node.nested.setdefault(BAG, Node())
    if not bag.fields and not bag.nested:
        spread = wire(sources)
        bag.fields, bag.nested = spread.fields, spread.nested
    return bag


def _is_read_only(node: Node, name: str) -> bool:
    return name in node.fields and all(item.read_only for _, item in node.fields[name])


def _classes(entries: list[tuple[str, Field]]) -> Sources:
    by_source = {source: item.shape.classes for source, item in entries}
    return Sources(by_source.get("model", ()), by_source.get("view", ()))
