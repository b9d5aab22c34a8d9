"""What waits for what: a template's resources in an order in which nothing comes before what it needs.

https://learn.microsoft.com/azure/azure-resource-manager/templates/resource-dependency
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from sandbox.arm.resource import ResourceId
from sandbox.azure.deployments import references
from sandbox.azure.deployments.expressions import check
from sandbox.azure.deployments.items import Item, items
from sandbox.azure.deployments.problems import invalid_template
from sandbox.azure.deployments.template import Template


@dataclass(frozen=True)
class Step:
    """One resource, and the resources of the same template that must be done before it."""

    item: Item
    after: tuple[ResourceId, ...]


def plan(template: Template, group: str) -> list[Step]:
    """The steps in an order that the dependencies allow. A nested resource does not wait for the one it lies
    in unless it says so, as on Azure. Raises ArmError InvalidTemplate."""
    found = items(template.resources, template.functions, group)
    known = {*template.functions, references.NAME}
    wanted = {item.id: item for item in found if item.wanted}
    after: dict[ResourceId, tuple[ResourceId, ...]] = {}
    for item in found:
        check(item.body, known)
        needed = [dependency(found, text).id for text in item.depends_on]
        needed += (
            reference.id
            for reference in references.within(item.body, template.functions, found)
            if reference.id != item.id
        )
        if item.wanted:
            after[item.id] = tuple(dict.fromkeys(id_ for id_ in needed if id_ in wanted))
    try:
        order = list(TopologicalSorter(after).static_order())
    except CycleError as error:
        circle = ", ".join(str(id_) for id_ in error.args[1])
        raise invalid_template(
            f"Circular dependency detected on resource: '{circle}'. Please see "
            "https://aka.ms/arm-syntax-resources for usage details"
        ) from error
    return [Step(wanted[id_], after[id_]) for id_ in order]


def dependency(found: Iterable[Item], text: str) -> Item:
    """The resource that an entry of `dependsOn` names: by id, by `NAMESPACE/type/name`, or by name."""
    key = text.strip("/").lower()
    fitting: Mapping[ResourceId, Item] = {
        item.id: item
        for item in found
        if key in (item.name.lower(), item.id.key.strip("/"))
        or ("/" in key and item.id.key.endswith(f"/providers/{key}"))
    }
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    if fitting:
        raise invalid_template(
            f"The resource reference '{text}' is not unique in the template: use resourceId(...)"
        )
    raise invalid_template(
        f"The resource '{text}' is not defined in the template. Please see https://aka.ms/arm-syntax for "
        "usage details"
    )
