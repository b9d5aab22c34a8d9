"""Wrong versions of a right body, one property at a time, along the independent judge's type."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.conformance.bicep import READ_ONLY, BicepType

_WRONG = {
    "StringType": 7,
    "IntegerType": "seven",
    "BooleanType": "yes",
    "ArrayType": {"a": 1},
    "ObjectType": [1],
}
#: None of them is what a fresh resource shows: to send that back is no fault.
_SAMPLES = {
    "StringType": "x",
    "IntegerType": 7,
    "BooleanType": True,
    "ArrayType": [{"a": 1}],
    "ObjectType": {"a": 1},
}


@dataclass(frozen=True)
class Mutation:
    """A body with one thing wrong, and where."""

    kind: str
    path: str
    body: Any


def mutations(judge: BicepType, body: Mapping[str, Any]) -> Iterator[Mutation]:
    """Every single-property mutation of a body: unknown, missing, read-only, type and enum."""
    for steps, kind in _positions(judge, body, judge.body, ()):
        if kind["$type"] not in {"ObjectType", "DiscriminatedObjectType"}:
            yield from _leaf(judge, body, steps, kind)
            continue
        if not steps or kind["$type"] == "DiscriminatedObjectType" or kind["properties"]:
            yield _changed("unknown", body, (*steps, "noSuchProperty"), "x")
        yield from _members(judge, body, steps, kind)


def _members(
    judge: BicepType, body: Mapping[str, Any], steps: tuple[str | int, ...], kind: Mapping[str, Any]
) -> Iterator[Mutation]:
    value = _at(body, steps)
    for name, entry in _properties(judge, kind, value).items():
        if name in value and name not in {"id", "name", "type"}:
            yield _changed("missing", body, (*steps, name), None, remove=True)
        elif entry["flags"] & READ_ONLY and (steps or name not in {"id", "name", "type", "apiVersion"}):
            target = judge.resolve(entry["type"])
            yield _changed("read-only", body, (*steps, name), _SAMPLES.get(target["$type"], "x"))


def _leaf(
    judge: BicepType, body: Mapping[str, Any], steps: tuple[str | int, ...], kind: Mapping[str, Any]
) -> Iterator[Mutation]:
    if kind["$type"] in _WRONG:
        yield _changed("type", body, steps, _WRONG[kind["$type"]])
    if kind["$type"] == "UnionType":
        yield _changed("type", body, steps, {"a": 1})
        yield _changed("enum", body, steps, "NoSuchValue")


def _positions(
    judge: BicepType, value: Any, kind: Mapping[str, Any], steps: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    yield steps, kind
    if isinstance(value, Mapping):
        properties = _properties(judge, kind, value)
        for name, item in value.items():
            if name in properties:
                below = judge.resolve(properties[name]["type"])
            elif kind.get("additionalProperties"):
                below = judge.resolve(kind["additionalProperties"])
            else:
                continue
            yield from _positions(judge, item, below, (*steps, name))
    elif isinstance(value, list) and kind["$type"] == "ArrayType":
        for number, item in enumerate(value):
            yield from _positions(judge, item, judge.resolve(kind["itemType"]), (*steps, number))


def _properties(judge: BicepType, kind: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    if kind["$type"] == "ObjectType":
        return dict(kind["properties"])
    if kind["$type"] == "DiscriminatedObjectType":
        element = kind["elements"].get(value.get(kind["discriminator"]))
        own = judge.resolve(element)["properties"] if element else {}
        return {**kind["baseProperties"], **own}
    return {}


def _at(body: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        body = body[step]
    return body


def _changed(
    kind: str, body: Mapping[str, Any], steps: tuple[str | int, ...], value: Any, *, remove: bool = False
) -> Mutation:
    made = copy.deepcopy(body)
    if not steps:
        return Mutation(kind, "", value)
    target = _at(made, steps[:-1])
    if remove:
        del target[steps[-1]]
    else:
        target[steps[-1]] = value
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return Mutation(kind, path, made)
