"""Expressions in JSON: what they call, and their values. Never Python's `eval`: a walk over a parsed tree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from sandbox.azure.deployments import syntax
from sandbox.azure.deployments.problems import invalid_template
from sandbox.azure.deployments.syntax import Call, Index, Literal, Node

#: Function name in lower case -> what it does with its arguments' values.
Functions = Mapping[str, Callable[[list[Any]], Any]]


def calls(value: Any) -> Iterator[Call]:
    """Every function called anywhere in a JSON value, object keys included, outermost first."""
    if isinstance(value, str):
        text = syntax.expression_of(value)
        if text is not None:
            yield from _calls(syntax.parse(text))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from calls(key)
            yield from calls(item)
    elif isinstance(value, list):
        for item in value:
            yield from calls(item)


def evaluate(value: Any, functions: Functions) -> Any:
    """A JSON value with every expression in it replaced by its value. Raises ArmError InvalidTemplate."""
    if isinstance(value, str):
        text = syntax.expression_of(value)
        return syntax.literal(value) if text is None else value_of(syntax.parse(text), functions)
    if isinstance(value, Mapping):
        return {str(evaluate(key, functions)): evaluate(item, functions) for key, item in value.items()}
    if isinstance(value, list):
        return [evaluate(item, functions) for item in value]
    return value


def value_of(node: Node, functions: Functions) -> Any:
    """The value of one parsed expression."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Index):
        return _item(value_of(node.of, functions), value_of(node.key, functions))
    function = functions.get(node.name.lower())
    if function is None:
        raise _unknown(node.name, functions)
    return function([value_of(argument, functions) for argument in node.arguments])


def check(value: Any, allowed: Collection[str]) -> None:
    """Refuse a JSON value that calls anything but the allowed functions (lower-case names)."""
    for call in calls(value):
        if call.name.lower() not in allowed:
            raise _unknown(call.name, allowed)


def _unknown(name: str, allowed: Iterable[str]) -> Exception:
    return invalid_template(
        f"The template function '{name}' is not one that can be called here. Those that can are: "
        f"{', '.join(sorted(allowed))}. Please see https://aka.ms/arm-functions for usage details"
    )


def _calls(node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        yield node
        for argument in node.arguments:
            yield from _calls(argument)
    elif isinstance(node, Index):
        yield from _calls(node.of)
        yield from _calls(node.key)


def _item(value: Any, key: Any) -> Any:
    """A property (whatever its case) or an element."""
    if isinstance(value, Mapping) and isinstance(key, str):
        for name, item in value.items():
            if name.lower() == key.lower():
                return item
        raise invalid_template(
            f"The language expression property '{key}' doesn't exist, available properties are "
            f"'{', '.join(map(str, value))}'"
        )
    if isinstance(value, list) and isinstance(key, int):
        if 0 <= key < len(value):
            return value[key]
        raise invalid_template(
            f"The language expression property array index '{key}' is out of bounds: there are {len(value)}"
        )
    raise invalid_template(
        f"The language expression property '{key}' can't be evaluated: {_kind(value)} has no such property"
    )


def _kind(value: Any) -> str:
    return "an array" if isinstance(value, list) else "an object" if isinstance(value, Mapping) else "a value"
