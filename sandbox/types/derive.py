"""Merges what the Pulumi SDK and the azure-mgmt models know of a type into one `Schema`.

The models say how a body looks on the wire; the SDK says which properties it has at Pulumi's API version,
flattened and partly renamed. Both are walked side by side. A property known to either is known; where an
SDK property sits follows one rule: at the object's top level if the type has it there, else under
`properties` (if the object has such a bag), found by its wire name, else by the models' own client name
(both generators take it from the same specification), else by its letters alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sandbox.types import models, sdk, sdkshapes
from sandbox.types.armtype import ArmType
from sandbox.types.nodes import BAG, Node, Sources, place, wire
from sandbox.types.schema import Definition, Property, Schema, SdkProperty, Type
from sandbox.types.sdkshapes import SdkClass
from sandbox.types.shapes import STRING, Field, Kind, Shape

#: What every ARM resource has beside its own properties, where no model says more.
_ENVELOPE = {
    "id": Field(("id",), "id", STRING, read_only=True),
    "name": Field(("name",), "name", STRING, read_only=True),
    "type": Field(("type",), "type", STRING, read_only=True),
    "location": Field(("location",), "location", STRING),
    "tags": Field(("tags",), "tags", Shape("map", STRING)),
    BAG: Field((BAG,), BAG, Shape("object")),
}
_SYSTEM_DATA = Field(("systemData",), "system_data", Shape("any"), read_only=True)
_URL = {"id", "name", "type"}
#: Outputs the provider makes up itself; they are on no wire.
_PROVIDER_OUTPUTS = {"azureApiVersion"}


def derive(row: ArmType) -> Schema:
    """The schema of a table row. Reads SDK sources and imports models: up to seconds; see `cache`."""
    return _Merger(row).schema()


class _Merger:
    def __init__(self, row: ArmType) -> None:
        self.row = row
        self.definitions: dict[str, Definition | None] = {}

    def schema(self) -> Schema:
        row = self.row
        sources = Sources(
            (models.load(row.model),) if row.model else (),
            (models.load(row.view),) if row.view else (),
        )
        node = wire(sources)
        node.root = True
        if not row.model:
            for item in _ENVELOPE.values():
                node.add("model", item)
        if "systemData" not in node.names():
            node.add("model", _SYSTEM_DATA)
        for name, shape in row.preview.items():
            node.add("model", Field((name,), name, shape))
        inputs: Iterable[sdk.SdkProperty] = ()
        outputs: Iterable[sdk.SdkProperty] = ()
        if row.pulumi:
            inputs, outputs = sdkshapes.resource_properties(row.pulumi)
            inputs = [item for item in inputs if item.name not in row.parameters or self._renamed(item.name)]
            outputs = [item for item in outputs if item.name not in _PROVIDER_OUTPUTS]
        placed = place(
            node, row.renames, inputs=inputs, outputs=outputs, base=row.sdk_class or "", module=row.module
        )
        self._define("root", node, placed, None)
        self._identify()
        for path in row.required:
            self._adjust(path, required=True)
        for path in row.read_only:
            self._adjust(path, read_only=True, required=False)
        for path in row.open:
            self._open(path)
        return Schema({name: found for name, found in self.definitions.items() if found is not None}, "root")

    def _renamed(self, name: str) -> str | None:
        return self.row.renames.get(f"{self.row.sdk_class}.{name}")

    def _identify(self) -> None:
        """ARM takes id, name and type of the resource itself from the URL, whatever a model says."""
        root = self.definitions["root"]
        if root is not None:
            told = {
                n: replace(p, read_only=True, required=False) for n, p in root.properties.items() if n in _URL
            }
            self.definitions["root"] = replace(root, properties={**root.properties, **told})

    def _adjust(self, path: str, **flags: Any) -> None:
        """Set flags of the property at a wire path, in which arrays add no step."""
        name, last = self._locate(path)
        found = self.definitions[name]
        if found is not None:
            entry = replace(found.properties[last], **flags)
            self.definitions[name] = replace(found, properties={**found.properties, last: entry})

    def _open(self, path: str) -> None:
        """Take every string at a wire path, or in the array there."""
        name, last = self._locate(path)
        found = self.definitions[name]
        if found is not None:
            kind = found.properties[last].type
            self._adjust(
                path, type=replace(kind, enum=(), item=replace(kind.item, enum=()) if kind.item else None)
            )

    def _locate(self, path: str) -> tuple[str, str]:
        """The definition that the property at a wire path belongs to, and its name there."""
        name = "root"
        *above, last = path.split(".")
        for step in above:
            inner = self.definitions[name]
            below = inner.properties[step].type if inner is not None else Type("any")
            name = (below.item or below).definition or ""
        return name, last

    def _define(self, name: str, node: Node, placed: Mapping[str, SdkProperty], variants: Any) -> None:
        self.definitions[name] = None
        properties = {}
        for member in sorted(node.names()):
            if member in node.nested:
                properties[member] = self._nested(name, member, node)
            else:
                properties[member] = self._property(node.fields[member])
        discriminator, values = variants or (None, {})
        self.definitions[name] = Definition(properties, placed, discriminator, values)

    def _nested(self, name: str, member: str, node: Node) -> Property:
        """An object that has no class of its own: a bag, whose properties the SDK gives to the object around
        it, or one that the older models flatten and the SDK does not."""
        inner = node.nested[member]
        definition = f"{name}/{member}"
        entries = node.fields.get(member, [])
        own = {source: item.shape.classes for source, item in entries if source in {"input", "output"}}
        classes = [cls for found in own.values() for cls in found]
        placed: dict[str, SdkProperty] = {}
        if classes:
            inputs, outputs = (
                [p for cls in own.get(key, ()) for p in cls.properties()] for key in ("input", "output")
            )
            placed = place(
                inner,
                self.row.renames,
                inputs=inputs,
                outputs=outputs,
                base=classes[0].base,
                module=classes[0].module,
            )
        self._define(definition, inner, placed, None)
        made = self.definitions[definition]
        required = any(item.required for source, item in entries if source == "model")
        inside = list(made.properties.values()) if made is not None else []
        if not entries:
            required = any(item.required for item in inside)
        read_only = bool(inside) and all(item.read_only for item in inside)
        return Property(Type("object", definition=definition), required, read_only)

    def _property(self, entries: list[tuple[str, Field]]) -> Property:
        by_source = dict(entries)
        model, given, shown = by_source.get("model"), by_source.get("input"), by_source.get("output")
        view = by_source.get("view")
        # The SDK shares input classes between properties of which some are read-only, so the models decide.
        read_only = model.read_only if model is not None else given is None
        required = any(item.required for item in (model, given) if item is not None)
        return Property(
            self._merge(model, view, given, shown),
            required=required and not read_only,
            read_only=read_only,
            create_only=model is not None and model.create_only,
            write_only=model is not None and model.write_only,
        )

    def _merge(self, *items: Field | None) -> Type:
        model, view, given, shown = (item.shape if item else None for item in items)
        return self._type(model, view, given, shown)

    def _type(
        self, model: Shape | None, view: Shape | None, given: Shape | None, shown: Shape | None
    ) -> Type:
        known = [item for item in (model, view, given, shown) if item is not None and item.kind != "any"]
        if not known:
            return Type("any")
        if model is None or model.kind == "any":
            model = None
        keys = _keys(model or view or shown, given)
        if keys:
            given = None
        kinds: set[Kind] = {
            item.kind for item in (model, view, given, shown) if item is not None and item.kind != "any"
        }
        if kinds == {"integer", "number"}:
            kinds = {"number"}
        if kinds == {"map", "object"}:
            kinds = {(model or view or given or known[0]).kind}
            model, view, given, shown = (
                i if i is not None and i.kind in kinds else None for i in (model, view, given, shown)
            )
        if len(kinds) != 1:
            return Type("any")
        kind = kinds.pop()
        if kind in {"array", "map"}:
            items = [item.item if item is not None else None for item in (model, view, given, shown)]
            return Type(kind, self._type(*items), keys=keys)
        if kind == "object":
            return self._object(model, view, given, shown)
        return Type(kind, enum=_enum([item.enum for item in (model, given) if item is not None]))

    def _object(
        self, model: Shape | None, view: Shape | None, given: Shape | None, shown: Shape | None
    ) -> Type:
        inputs = given.classes if given else ()
        outputs = shown.classes if shown else ()
        if not outputs and len(inputs) > 1:
            outputs = tuple(item for item in (_output(one) for one in inputs) if item is not None)
        sources = Sources(model.classes if model else (), view.classes if view else (), inputs, outputs)
        if sources == Sources():
            return Type("any")
        return Type("object", definition=self._object_definition(sources))

    def _object_definition(self, sources: Sources) -> str:
        name = sources.name
        if name in self.definitions:
            return name
        self.definitions[name] = None
        variants = next(
            (found for cls in sources.model + sources.view if (found := models.variants(cls))), None
        )
        if variants is None and len(sources.inputs) > 1:
            variants = _sdk_variants(sources.inputs)
        if variants is None:
            self._plain(name, sources, None)
            return name
        discriminator, classes = variants
        names = {}
        for value, cls in classes.items():
            one = Sources(
                (cls,) if sources.model and cls is not None else (),
                (cls,) if not sources.model and cls is not None else (),
                _expecting(sources.inputs, value),
                _expecting(sources.outputs, value),
            )
            names[value] = f"{name}:{value}"
            if names[value] not in self.definitions:
                self._plain(names[value], one, None)
            self._restrict(names[value], discriminator, (value,))
        base = replace(sources, inputs=sources.inputs if len(sources.inputs) == 1 else (), outputs=())
        self._plain(name, base, (discriminator, names))
        self._restrict(name, discriminator, tuple(names))
        return name

    def _restrict(self, name: str, discriminator: str, values: tuple[str, ...]) -> None:
        """Say which values an object's discriminator may have."""
        made = self.definitions[name]
        if made is not None:
            told = Property(Type("string", enum=values), required=True)
            self.definitions[name] = replace(made, properties={**made.properties, discriminator: told})

    def _plain(self, name: str, sources: Sources, variants: Any) -> None:
        node = wire(sources)
        inputs = [item for cls in sources.inputs for item in cls.properties()]
        outputs = [item for cls in sources.outputs for item in cls.properties()]
        described = next(iter((*sources.inputs, *sources.outputs)), None)
        placed: dict[str, SdkProperty] = {}
        if described is not None:
            placed = place(
                node,
                self.row.renames,
                inputs=inputs,
                outputs=outputs,
                base=described.base,
                module=described.module,
            )
        self._define(name, node, placed, variants)
        made = self.definitions[name]
        if (
            made is not None
            and not placed
            and any(models.takes_any(cls) for cls in sources.model + sources.view)
        ):
            self.definitions[name] = replace(made, additional=True)


def _enum(known: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The values that any source names; none where a source takes everything, or where they share no value
    (the SDK gives one name to enums of several APIs)."""
    if not known or not all(known) or not set.intersection(*map(set, known)):
        return ()
    return tuple(dict.fromkeys(value for values in known for value in values))


def _keys(wire: Shape | None, given: Shape | None) -> bool:
    """Whether the SDK writes the keys of a wire map as an array of strings."""
    if wire is None or given is None:
        return False
    return (
        wire.kind == "map"
        and given.kind == "array"
        and given.item is not None
        and given.item.kind == "string"
    )


def _output(given: SdkClass) -> SdkClass | None:
    found = SdkClass(given.module, f"{given.base}Response", output=True)
    return found if found.properties() else None


def _expecting(classes: tuple[SdkClass, ...], value: str) -> tuple[SdkClass, ...]:
    """Those of the SDK's classes that stand for a discriminator's value; one class alone stands for all."""
    if len(classes) == 1 and not classes[0].expected():
        return classes
    return tuple(cls for cls in classes if value in cls.expected().values())


def _sdk_variants(classes: tuple[SdkClass, ...]) -> tuple[str, dict[str, Any]] | None:
    """A union only the SDK knows: its discriminator and values."""
    expected = [cls.expected() for cls in classes]
    if not all(expected):
        return None
    return next(iter(expected[0])), {value: None for found in expected for value in list(found.values())[:1]}
