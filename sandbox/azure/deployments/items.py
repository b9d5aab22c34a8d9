"""The resources of a template: each with its id, and its body as far as it can be known beforehand.

https://learn.microsoft.com/azure/azure-resource-manager/templates/resource-declaration
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import ResourceId
from sandbox.azure.deployments.expressions import Functions, evaluate
from sandbox.azure.deployments.problems import invalid_template, not_here

#: Parts of a declaration that are no part of the body that is sent.
_OWN = {
    "type",
    "apiVersion",
    "name",
    "dependsOn",
    "condition",
    "comments",
    "metadata",
    "resources",
    "scope",
}
_MISSING = ("copy", "resourceGroup", "subscriptionId", "import", "existing", "asserts")
_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-\w+(\.\d+)?)?")
_NESTED = "microsoft.resources/deployments"


@dataclass(frozen=True)
class Item:
    """One resource to PUT. `body` still holds its expressions; `depends_on` is as declared, evaluated."""

    id: ResourceId
    #: The name as the template has it: `server/database` for a child.
    name: str
    api_version: str
    body: Mapping[str, Any]
    depends_on: tuple[str, ...]
    #: False when its condition is: it is not deployed, and nothing waits for it.
    wanted: bool


def items(declared: list[Any], functions: Functions, group: str) -> list[Item]:
    """Every resource, nested ones after what they lie in; `group` is the resource group's id.

    Raises ArmError InvalidTemplate, or NotSupported for what Azure has and this Azure has not.
    """
    found = [item for entry in declared for item in _items(entry, functions, group, "", "", wanted=True)]
    seen: set[ResourceId] = set()
    for item in found:
        if item.id in seen:
            raise invalid_template(f"The resource '{item.id}' is defined multiple times in a template")
        seen.add(item.id)
    return found


def _items(
    entry: Any, functions: Functions, group: str, above: str, within: str, *, wanted: bool
) -> Iterator[Item]:
    """A declaration and those in it. `above` and `within` are type and name of the enclosing one."""
    if not isinstance(entry, Mapping):
        raise invalid_template("Every element of 'resources' must be an object")
    for name in _MISSING:
        if entry.get(name) is not None:
            raise not_here(f"'{name}' in resources")
    properties = entry.get("properties")
    if isinstance(properties, Mapping) and "copy" in properties:
        raise not_here("'copy' in properties")
    kind = _string(entry, "type", functions)
    name = _string(entry, "name", functions)
    if above:
        kind, name = f"{above}/{kind}", f"{within}/{name}"
    if kind.lower() == _NESTED:
        raise not_here("deployments nested in templates")
    version = _string(entry, "apiVersion", functions)
    if not _API_VERSION.fullmatch(version):
        raise invalid_template(f"The template resource '{name}' has the invalid apiVersion '{version}'")
    wanted = wanted and _condition(entry, name, functions)
    scope = evaluate(entry.get("scope"), functions)
    yield Item(
        id=_id(kind, name, scope, group),
        name=name,
        api_version=version,
        body={key: value for key, value in entry.items() if key not in _OWN},
        depends_on=_depends_on(entry, name, functions),
        wanted=wanted,
    )
    nested = entry.get("resources") or []
    if not isinstance(nested, list):
        raise invalid_template(f"'resources' of the template resource '{name}' must be an array")
    for inner in nested:
        yield from _items(inner, functions, group, kind, name, wanted=wanted)


def _string(entry: Mapping[str, Any], key: str, functions: Functions) -> str:
    value = evaluate(entry.get(key), functions)
    if not isinstance(value, str) or not value:
        raise invalid_template(f"'{key}' of a template resource must be a string that is not empty")
    return value


def _condition(entry: Mapping[str, Any], name: str, functions: Functions) -> bool:
    value = evaluate(entry.get("condition", True), functions)
    if not isinstance(value, bool):
        raise invalid_template(f"The condition of the template resource '{name}' must be a boolean")
    return value


def _depends_on(entry: Mapping[str, Any], name: str, functions: Functions) -> tuple[str, ...]:
    value = evaluate(entry.get("dependsOn") or [], functions)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid_template(f"'dependsOn' of the template resource '{name}' must be an array of strings")
    return tuple(value)


def _id(kind: str, name: str, scope: Any, group: str) -> ResourceId:
    """Types and names are given side by side: `A.B/x/y` and `one/two` make `…/A.B/x/one/y/two`."""
    namespace, *types = kind.split("/")
    names = name.split("/")
    if not types or len(types) != len(names):
        raise invalid_template(
            f"The template resource '{name}' for type '{kind}' has incorrect segment lengths. A nested "
            "resource type must have identical number of segments as its resource name. A root resource type "
            "must have segment length one greater than its resource name. Please see "
            "https://aka.ms/arm-syntax-resources for usage details"
        )
    tail = "".join(f"/{one}/{other}" for one, other in zip(types, names, strict=True))
    above = _scope(scope, group)
    try:
        return parse_id(f"{above}/providers/{namespace}{tail}")
    except ArmError as error:
        raise invalid_template(f"The template resource '{name}' has no valid id: {error.message}") from error


def _scope(scope: Any, group: str) -> str:
    """Where an extension lies: a whole id, or the rest of one in the resource group."""
    if scope is None:
        return group
    if not isinstance(scope, str) or not scope.strip("/"):
        raise invalid_template("'scope' of a template resource must be a resource id")
    if scope.lower().startswith("/subscriptions/"):
        if not f"{scope.lower()}/".startswith(f"{group.lower()}/"):
            raise not_here(f"resources outside the deployment's resource group ('{scope}')")
        return scope
    namespace, _, rest = scope.strip("/").partition("/")
    return f"{group}/providers/{namespace}/{rest}"
