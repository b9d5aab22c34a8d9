"""Stacks in miniature: resources as a program declares them, for rules and as a state file for the engine."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from infra.policy.model import Resource, Stack, without_version

PROJECT = "agents"
DIGEST = "sha256:" + "0123456789abcdef" * 4


@dataclass(frozen=True)
class Declared:
    """One resource; `references`: property -> logical names of what its value is made from."""

    type: str
    name: str
    inputs: dict[str, Any]
    protect: bool = False
    references: dict[str, list[str]] = field(default_factory=dict)


Declarations = dict[str, Declared]
Change = Callable[[Declarations], None]


def by_name(*resources: Declared) -> Declarations:
    found = {resource.name: resource for resource in resources}
    assert len(found) == len(resources), "two resources of one name"
    return found


def urn(resource: Declared, stack: str) -> str:
    return f"urn:pulumi:{stack}::{PROJECT}::{resource.type}::{resource.name}"


def changed(name: str, path: str, value: Any) -> Change:
    """Set the input at a dotted path; a number is an index into a list."""

    def change(stack: Declarations) -> None:
        *way, last = path.split(".")
        place: Any = stack[name].inputs
        for part in way:
            place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
        place[int(last) if isinstance(place, list) else last] = value

    return change


def without(name: str, path: str) -> Change:
    """Take away the input at a dotted path."""

    def change(stack: Declarations) -> None:
        *way, last = path.split(".")
        place: Any = stack[name].inputs
        for part in way:
            place = place[int(part)] if isinstance(place, list) else place[part]
        del place[int(last) if isinstance(place, list) else last]

    return change


def removed(*names: str) -> Change:
    def change(stack: Declarations) -> None:
        for name in names:
            del stack[name]

    return change


def added(resource: Declared) -> Change:
    def change(stack: Declarations) -> None:
        assert resource.name not in stack
        stack[resource.name] = resource

    return change


def unprotected(name: str) -> Change:
    def change(stack: Declarations) -> None:
        stack[name] = replace(stack[name], protect=False)

    return change


def both(*changes: Change) -> Change:
    def change(stack: Declarations) -> None:
        for one in changes:
            one(stack)

    return change


def after(stack: Declarations, *changes: Change) -> Declarations:
    made = copy.deepcopy(stack)
    for change in changes:
        change(made)
    return made


def as_stack(declared: Declarations, stack: str = "prod") -> Stack:
    """As the pack shows it to rules."""
    return Stack(
        tuple(
            Resource(
                urn(one, stack),
                without_version(one.type),
                one.inputs,
                one.protect,
                {
                    path: frozenset(urn(declared[name], stack) for name in names if name in declared)
                    for path, names in one.references.items()
                },
            )
            for one in declared.values()
        )
    )


def as_state(declared: Declarations, stack: str = "prod") -> str:
    """As `pulumi stack export` writes it."""
    root = f"urn:pulumi:{stack}::{PROJECT}::pulumi:pulumi:Stack::{PROJECT}-{stack}"
    resources: list[dict[str, Any]] = [{"urn": root, "custom": False, "type": "pulumi:pulumi:Stack"}]
    for one in declared.values():
        wanted = {
            path: [urn(declared[name], stack) for name in names if name in declared]
            for path, names in one.references.items()
        }
        resources.append(
            {
                "urn": urn(one, stack),
                "custom": True,
                "type": one.type,
                "id": f"id-of-{one.name}",
                "inputs": one.inputs,
                "outputs": {},
                "parent": root,
                "protect": one.protect,
                "propertyDependencies": wanted,
            }
        )
    # The engine wants a resource after those it is made from.
    resources.sort(key=lambda found: len(found.get("propertyDependencies") or {}))
    manifest = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""}
    return json.dumps({"version": 3, "deployment": {"manifest": manifest, "resources": resources}})
