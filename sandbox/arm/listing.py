"""Lists: of one type, and of everything (`az resource list`) with ARM's `$filter`, `$expand` and `$top`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.filters import Term, parse_filter
from sandbox.arm.ids import GROUP_TYPE
from sandbox.arm.regions import normalise
from sandbox.arm.resource import Body, Resource
from sandbox.arm.store import timestamp

#: What a generic list shows of a resource, besides its id.
_SHOWN = ("kind", "sku", "managedBy", "plan", "identity", "zones", "extendedLocation", "tags", "location")


def _matches(resource: Resource, terms: list[Term]) -> bool:
    tags = {str(name).lower(): str(value) for name, value in (resource.body.get("tags") or {}).items()}
    names = [term.value.lower() for term in terms if term.field == "tagname" and term.operator == "eq"]
    for term in terms:
        if term.field == "tagname":
            values = list(tags)
        elif term.field == "tagvalue":
            values = [value.lower() for name, value in tags.items() if not names or name in names]
        else:
            values = [_field(resource, term.field)]
        if not any(_compare(value, term) for value in values):
            return False
    return True


def _field(resource: Resource, name: str) -> str:
    values: Mapping[str, Any] = {
        "name": resource.id.name,
        "resourcetype": resource.id.type,
        "resourcegroup": resource.id.group,
        "location": resource.location,
        "provisioningstate": resource.properties.get("provisioningState"),
    }
    if name not in values:
        raise bad_request("InvalidFilterInQueryString", f"Invalid $filter: unknown property '{name}'.")
    return str(values[name] or "").lower()


def _compare(actual: str, term: Term) -> bool:
    wanted = normalise(term.value) if term.field == "location" else term.value.lower()
    match term.operator:
        case "eq":
            return actual == wanted
        case "ne":
            return actual != wanted
        case "substringof":
            return wanted in actual
        case "startswith":
            return actual.startswith(wanted)
    raise bad_request(
        "InvalidFilterInQueryString", f"Invalid $filter: '{term.operator}' is not supported here."
    )


def _generic(resource: Resource, expand: set[str]) -> Body:
    wire: Body = {"id": resource.id.text, "name": resource.id.name, "type": resource.id.type}
    wire.update({name: resource.body[name] for name in _SHOWN if name in resource.body})
    if "createdtime" in expand:
        wire["createdTime"] = timestamp(resource.created_at)
    if "changedtime" in expand:
        wire["changedTime"] = timestamp(resource.changed_at)
    if "provisioningstate" in expand:
        wire["provisioningState"] = resource.properties.get("provisioningState", "Succeeded")
    return wire


def filtered(resources: Iterable[Resource], query: Mapping[str, str]) -> list[Resource]:
    """What `$filter` and `$top` leave."""
    terms = parse_filter(query.get("$filter", "")) if query.get("$filter", "").strip() else []
    found = [resource for resource in resources if _matches(resource, terms)]
    top = query.get("$top")
    if top is None:
        return found
    if not top.isdigit() or int(top) < 1:
        raise bad_request(
            "InvalidTopInQueryString", f"Invalid $top '{top}': a positive whole number is expected."
        )
    return found[: int(top)]


def tracked(resources: Iterable[Resource], query: Mapping[str, str]) -> list[Body]:
    """The generic list: what has a location, groups aside, each in the short form."""
    expand = {part.strip().lower() for part in query.get("$expand", "").split(",")}
    placed = (found for found in resources if found.location is not None and found.id.type != GROUP_TYPE)
    return [_generic(resource, expand) for resource in filtered(placed, query)]
