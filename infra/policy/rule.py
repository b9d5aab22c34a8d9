"""What a rule is. A rule's name is its function's, its description the function's docstring."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from infra.policy.model import UNKNOWN, Resource, Stack, may_be

#: What is wrong with a resource: one sentence per fault.
Faults = Iterator[str]
#: What is wrong in a stack: the resource at fault, None for the stack as a whole, and one sentence.
StackFaults = Iterator[tuple[Resource | None, str]]


class Level(Enum):
    """MANDATORY stops the update; ADVISORY is shown."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


@dataclass(frozen=True)
class Rule:
    """`remedy` says how to mend a fault, `source` where the rule comes from.

    A rule with `production` holds in production only (`production.py` says which stacks that is).
    """

    name: str
    description: str
    remedy: str
    source: str
    level: Level
    production: bool


@dataclass(frozen=True)
class ResourceRule(Rule):
    """Holds for each resource of `types` by itself; no types: for every resource."""

    types: frozenset[str]
    check: Callable[[Resource], Faults]


@dataclass(frozen=True)
class StackRule(Rule):
    """Holds for a stack as a whole: that something is there, or how resources belong together."""

    check: Callable[[Stack], StackFaults]


def resource_rule(
    *types: str,
    remedy: str,
    source: str,
    level: Level = Level.MANDATORY,
    production: bool = False,
) -> Callable[[Callable[[Resource], Faults]], ResourceRule]:
    """Make a function that yields a resource's faults a rule."""

    def made(check: Callable[[Resource], Faults]) -> ResourceRule:
        name, description = _described(check)
        return ResourceRule(name, description, remedy, source, level, production, frozenset(types), check)

    return made


def stack_rule(
    *, remedy: str, source: str, level: Level = Level.MANDATORY, production: bool = False
) -> Callable[[Callable[[Stack], StackFaults]], StackRule]:
    """Make a function that yields a stack's faults a rule."""

    def made(check: Callable[[Stack], StackFaults]) -> StackRule:
        name, description = _described(check)
        return StackRule(name, description, remedy, source, level, production, check)

    return made


def require(resource: Resource, path: str, *allowed: Any) -> Faults:
    """A fault unless the input at `path` is one of `allowed`. What is not known is judged by the update."""
    found = resource.get(path)
    if may_be(found, *allowed):
        return
    wanted = " or ".join(_shown(value) for value in allowed if value is not None)
    yield f"{path} is {_shown(found)}; it must be {wanted}"


def require_at_least(resource: Resource, path: str, least: int) -> Faults:
    """A fault unless the input at `path` is a number of at least `least`."""
    found = resource.get(path)
    if found is UNKNOWN or (isinstance(found, int | float) and found >= least):
        return
    yield f"{path} is {_shown(found)}; it must be at least {least}"


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    whole = isinstance(value, float) and value.is_integer()  # every number of Pulumi's protocol is a float
    return json.dumps(int(value) if whole else value, default=str)


def _described(check: Callable[..., Any]) -> tuple[str, str]:
    if not check.__doc__:
        raise TypeError(f"rule {check.__name__} has no docstring, which is its description")
    return check.__name__.replace("_", "-"), check.__doc__.strip().splitlines()[0]
