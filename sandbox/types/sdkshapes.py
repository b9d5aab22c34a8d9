"""Turns the SDK's annotations (`pulumi.Input[Optional[Sequence['SubnetArgs']]]`) into shapes."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache

from sandbox.types import sdk
from sandbox.types.shapes import ANY, Kind, Shape

_WRAPPERS = {"Input", "Output", "Optional", "NotRequired"}
_PRIMITIVES: dict[str, Kind] = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_EXPECTED = re.compile(r"Expected value is '([^']*)'")


@dataclass(frozen=True)
class SdkClass:
    """A class of one of the SDK's modules, an input (`...Args`) or an output."""

    module: str
    name: str
    output: bool = False

    def properties(self) -> tuple[sdk.SdkProperty, ...]:
        file = "outputs.py" if self.output else "_inputs.py"
        return sdk.properties(sdk.root() / self.module / file, self.name) or ()

    @property
    def base(self) -> str:
        """The name that an input and its output share."""
        return re.sub(r"(InitArgs|Args|Response(V\d+)?)$", "", self.name)

    def expected(self) -> dict[str, str]:
        """Properties that the documentation fixes to one value: discriminators."""
        return {p.name: found[1] for p in self.properties() if (found := _EXPECTED.search(p.doc))}


def resource_properties(token: str) -> tuple[tuple[sdk.SdkProperty, ...], tuple[sdk.SdkProperty, ...]]:
    """(inputs, outputs) of a resource class."""
    name = token.split(":")[2]
    path = sdk.file_of(token)
    inputs = sdk.properties(path, f"{name}Args") or sdk.properties(path, f"{name}InitArgs")
    outputs = sdk.properties(path, name)
    if inputs is None or outputs is None:
        raise LookupError(f"{path} does not hold the classes of {token}")
    return inputs, outputs


@cache
def shape(annotation: str, module: str, *, output: bool) -> Shape:
    """The shape of an annotation's source, as it stands in a class of `module`."""
    return _shape(ast.parse(annotation, mode="eval").body, module, output)


def _shape(node: ast.expr, module: str, output: bool) -> Shape:
    if isinstance(node, ast.Subscript):
        name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _generic(name, arguments, module, output)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _named(node.value, module, output)
    if isinstance(node, ast.Attribute):
        return Shape(_PRIMITIVES.get(node.attr, "any"))
    return ANY


def _generic(name: str, arguments: list[ast.expr], module: str, output: bool) -> Shape:
    if name in _WRAPPERS:
        return _shape(arguments[0], module, output)
    if name == "Sequence":
        return Shape("array", _shape(arguments[0], module, output))
    if name == "Mapping":
        return Shape("map", _shape(arguments[1], module, output))
    if name == "Union":
        return _union([_shape(part, module, output) for part in arguments if not _is_dict(part)])
    return ANY


def _is_dict(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith("ArgsDict")


def _named(name: str, module: str, output: bool) -> Shape:
    name = name.rsplit(".", 1)[-1]
    values = sdk.enum_values(sdk.root() / module / "_enums.py", name)
    if values is not None:
        return Shape("string" if all(isinstance(value, str) for value in values) else "number", enum=values)
    return Shape("object", classes=(SdkClass(module, name, output),))


def _union(shapes: list[Shape]) -> Shape:
    if len(shapes) == 1:
        return shapes[0]
    if all(shape.kind == "object" for shape in shapes):
        return Shape("object", classes=tuple(name for shape in shapes for name in shape.classes))
    named = next((shape for shape in shapes if shape.enum), None)
    if named and all(shape.kind == named.kind for shape in shapes):
        return Shape(named.kind, enum=named.enum, open=True)
    return ANY
