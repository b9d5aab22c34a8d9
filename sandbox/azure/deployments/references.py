"""`reference(…)`: what a resource says of itself once it is there, for other resources and for outputs.

`reference(nameOrId, [apiVersion], ['Full'])` is the resource's `properties`, or with `Full` all of it; the
version may be left out for a resource of the same template.
https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#reference
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, ResourceId
from sandbox.azure.deployments.client import Client
from sandbox.azure.deployments.expressions import Functions, calls, evaluate, value_of
from sandbox.azure.deployments.items import Item
from sandbox.azure.deployments.problems import invalid_template

NAME = "reference"


@dataclass(frozen=True)
class Reference:
    id: ResourceId
    api_version: str
    full: bool


def within(value: Any, functions: Functions, items: Iterable[Item]) -> Iterator[Reference]:
    """The references in a JSON value, the innermost functions of which are known beforehand."""
    known = list(items)
    for call in calls(value):
        if call.name.lower() == NAME:
            yield _read([value_of(argument, functions) for argument in call.arguments], known)


async def resolved(value: Any, functions: Functions, items: Iterable[Item], client: Client) -> Any:
    """A JSON value with its expressions replaced, references by what is there now. Raises ArmError."""
    known = list(items)
    found: dict[Reference, Any] = {}
    for reference in within(value, functions, known):
        body = await client.get(reference.id, reference.api_version)
        found[reference] = _full(reference, body) if reference.full else body.get("properties") or {}
    return evaluate(value, {**functions, NAME: lambda arguments: found[_read(arguments, known)]})


def _read(arguments: list[Any], items: list[Item]) -> Reference:
    if not 1 <= len(arguments) <= 3 or not all(isinstance(item, str) for item in arguments):
        raise invalid_template("The template function 'reference' takes one to three strings")
    text, version, part = (*arguments, "", "")[:3]
    if part and part.lower() != "full":
        raise invalid_template(f"The template function 'reference' takes 'Full', not '{part}'")
    item = _named(text, items)
    if item is not None:
        return Reference(item.id, version or item.api_version, bool(part))
    if not version:
        raise invalid_template(
            f"The template function 'reference' needs an api version for '{text}', which is not a "
            "resource of this template"
        )
    try:
        return Reference(parse_id(text), version, bool(part))
    except ArmError as error:
        raise invalid_template(
            f"The template function 'reference' is given '{text}': {error.message}"
        ) from error


def _named(text: str, items: list[Item]) -> Item | None:
    key = text.strip("/").lower()
    fitting = [item for item in items if key in (item.name.lower(), item.id.key.strip("/"))]
    if len(fitting) > 1:
        raise invalid_template(f"The resource reference '{text}' is not unique: use resourceId(...)")
    return fitting[0] if fitting else None


def _full(reference: Reference, body: Mapping[str, Any]) -> Body:
    return {
        **body,
        "apiVersion": reference.api_version,
        "resourceId": reference.id.text,
        "subscriptionId": reference.id.subscription,
        "resourceGroupName": reference.id.group,
    }
