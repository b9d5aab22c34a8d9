"""Which events an event subscription wants.

Source: https://learn.microsoft.com/azure/event-grid/event-filtering. All conditions have to hold; of a
condition's values one has to match, or, for the negated operators, none may. Strings are compared without
regard to case (subjects with regard to it where the subscription says so). Keys are compared without regard
to case too, an exact spelling first; the documentation spells them both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Event = Mapping[str, Any]
Matcher = Callable[[Event], bool]

#: What a key stands for that the event does not have.
_ABSENT = object()

_STRINGS: dict[str, Callable[[str, str], bool]] = {
    "StringIn": str.__eq__,
    "StringBeginsWith": str.startswith,
    "StringEndsWith": str.endswith,
    "StringContains": str.__contains__,
}
_NUMBERS: dict[str, Callable[[float, Any], bool]] = {
    "NumberIn": lambda value, wanted: value == wanted,
    "NumberLessThan": lambda value, wanted: value < wanted,
    "NumberLessThanOrEquals": lambda value, wanted: value <= wanted,
    "NumberGreaterThan": lambda value, wanted: value > wanted,
    "NumberGreaterThanOrEquals": lambda value, wanted: value >= wanted,
    "NumberInRange": lambda value, wanted: wanted[0] <= value <= wanted[1],
}
#: Negated operators, and whether they hold for an event that lacks the key. The documentation is silent on
#: NumberNotInRange, which is taken to be as NumberNotIn.
_NEGATED = {
    "StringNotIn": ("StringIn", True),
    "StringNotBeginsWith": ("StringBeginsWith", False),
    "StringNotEndsWith": ("StringEndsWith", False),
    "StringNotContains": ("StringContains", False),
    "NumberNotIn": ("NumberIn", True),
    "NumberNotInRange": ("NumberInRange", True),
}


def matcher(wanted: Mapping[str, Any], type_key: str) -> Matcher:
    """A test for an event subscription's `filter`. `type_key` is what the schema calls an event's type."""
    tests = [*_subject(wanted), *_types(wanted, type_key)]
    on_arrays = bool(wanted.get("enableAdvancedFilteringOnArrays"))
    tests += [_advanced(condition, on_arrays) for condition in wanted.get("advancedFilters") or ()]
    return lambda event: all(test(event) for test in tests)


def _subject(wanted: Mapping[str, Any]) -> list[Matcher]:
    fold = str if wanted.get("isSubjectCaseSensitive") else str.lower
    begin, end = fold(wanted.get("subjectBeginsWith") or ""), fold(wanted.get("subjectEndsWith") or "")
    if not begin and not end:
        return []

    def test(event: Event) -> bool:
        subject = fold(str(event.get("subject") or ""))
        return subject.startswith(begin) and subject.endswith(end)

    return [test]


def _types(wanted: Mapping[str, Any], type_key: str) -> list[Matcher]:
    types = {name.lower() for name in wanted.get("includedEventTypes") or ()}
    if not types or "all" in types:
        return []
    return [lambda event: str(event.get(type_key, "")).lower() in types]


def _advanced(condition: Mapping[str, Any], on_arrays: bool) -> Matcher:
    operator, steps = str(condition["operatorType"]), str(condition["key"]).split(".")
    if operator in ("IsNullOrUndefined", "IsNotNull"):
        wants_null = operator == "IsNullOrUndefined"
        return lambda event: (value_at(event, steps) in (None, _ABSENT)) == wants_null
    positive, holds_when_absent = _NEGATED.get(operator, (operator, False))
    negated = operator in _NEGATED
    holds = _one(positive, condition)

    def test(event: Event) -> bool:
        found = value_at(event, steps)
        if found is _ABSENT or found is None:
            return holds_when_absent
        if isinstance(found, list):
            return on_arrays and any(map(holds, found)) != negated
        return holds(found) != negated

    return test


def _one(operator: str, condition: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Whether one value matches; values of another type than the condition's match nothing."""
    if operator == "BoolEquals":
        return lambda value: isinstance(value, bool) and value == condition.get("value")
    if operator in _STRINGS:
        compare = _STRINGS[operator]
        texts = [str(text).lower() for text in condition.get("values") or ()]
        return lambda value: isinstance(value, str) and any(compare(value.lower(), text) for text in texts)
    relate = _NUMBERS[operator]
    single = "values" not in condition
    numbers = [condition.get("value")] if single else list(condition.get("values") or ())
    return lambda value: is_number(value) and any(relate(value, number) for number in numbers)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def value_at(event: Any, steps: list[str]) -> Any:
    """What lies at a key of an event, e.g. `data.order.total`; `_ABSENT` where nothing does."""
    found = event
    for step in steps:
        if not isinstance(found, Mapping):
            return _ABSENT
        if step in found:
            found = found[step]
            continue
        spelt = next((name for name in found if name.lower() == step.lower()), None)
        if spelt is None:
            return _ABSENT
        found = found[spelt]
    return found
