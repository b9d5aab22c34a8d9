"""Filters against a plain reading of the documentation's pseudo code, and examples of each rule."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.eventgrid import filters

TEXTS = st.text(alphabet="abAB/", max_size=4)
NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([-0.5, 0.5, 2.5]))
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans())
KEYS = ("subject", "type", "data.a", "data.b.c", "data.missing")
EVENTS = st.fixed_dictionaries(
    {"type": TEXTS, "subject": TEXTS},
    optional={
        "data": st.fixed_dictionaries(
            {},
            optional={
                "a": st.one_of(SCALARS, st.none(), st.lists(SCALARS, max_size=3)),
                "b": st.one_of(SCALARS, st.fixed_dictionaries({}, optional={"c": SCALARS})),
            },
        )
    },
)
STRING_OPERATORS = ("In", "BeginsWith", "EndsWith", "Contains")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "NumberLessThan": operator.lt,
    "NumberLessThanOrEquals": operator.le,
    "NumberGreaterThan": operator.gt,
    "NumberGreaterThanOrEquals": operator.ge,
}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    key = draw(st.sampled_from(KEYS))
    kind = draw(st.sampled_from(["string", "number in", "range", "compare", "bool", "null"]))
    negation = draw(st.sampled_from(["", "Not"]))
    if kind == "string":
        name = f"String{negation}{draw(st.sampled_from(STRING_OPERATORS))}"
        return {"operatorType": name, "key": key, "values": draw(st.lists(TEXTS, min_size=1, max_size=3))}
    if kind == "number in":
        values = draw(st.lists(NUMBERS, min_size=1, max_size=3))
        return {"operatorType": f"Number{negation}In", "key": key, "values": values}
    if kind == "range":
        ranges = [sorted(draw(st.tuples(NUMBERS, NUMBERS))) for _ in range(draw(st.integers(1, 2)))]
        return {"operatorType": f"Number{negation}InRange", "key": key, "values": ranges}
    if kind == "compare":
        name = draw(st.sampled_from(sorted(COMPARISONS)))
        return {"operatorType": name, "key": key, "value": draw(NUMBERS)}
    if kind == "bool":
        return {"operatorType": "BoolEquals", "key": key, "value": draw(st.booleans())}
    return {"operatorType": draw(st.sampled_from(["IsNotNull", "IsNullOrUndefined"])), "key": key}


def present(event: Any, key: str) -> tuple[bool, Any]:
    for step in key.split("."):
        if not isinstance(event, dict) or step not in event:
            return False, None
        event = event[step]
    return event is not None, event


def reference(condition: dict[str, Any], event: Any, on_arrays: bool) -> bool:
    """The documentation's tables, spelt out case by case."""
    name = condition["operatorType"]
    there, value = present(event, condition["key"])
    if name == "IsNotNull":
        return there
    if name == "IsNullOrUndefined":
        return not there
    if not there:
        return name in ("NumberNotIn", "StringNotIn", "NumberNotInRange")
    if isinstance(value, list) and not on_arrays:
        return False
    keys = value if isinstance(value, list) else [value]
    positive = name.replace("Not", "")
    for one in keys:
        for wanted in condition.get("values", [condition.get("value")]):
            if pair_matches(positive, one, wanted):
                return "Not" not in name
    return "Not" in name


def pair_matches(name: str, key: Any, wanted: Any) -> bool:  # noqa: PLR0911
    """One pair of the pseudo code; keys of another type than the filter's are ignored."""
    if name.startswith("String"):
        if not isinstance(key, str):
            return False
        one, other = key.lower(), wanted.lower()
        if name == "StringIn":
            return bool(one == other)
        if name == "StringContains":
            return other in one
        return one.startswith(other) if name == "StringBeginsWith" else one.endswith(other)
    if name == "BoolEquals":
        return isinstance(key, bool) and key is wanted
    if isinstance(key, bool | str | dict | list):
        return False
    if name == "NumberIn":
        return bool(key == wanted)
    if name == "NumberInRange":
        return bool(wanted[0] <= key <= wanted[1])
    return COMPARISONS[name](key, wanted)


@given(EVENTS, st.lists(conditions(), max_size=3), st.booleans())
def test_advanced_filters_follow_the_documentation(
    event: dict[str, Any], wanted: list[dict[str, Any]], on_arrays: bool
) -> None:
    matches = filters.matcher(
        {"advancedFilters": wanted, "enableAdvancedFilteringOnArrays": on_arrays}, "type"
    )
    assert matches(event) == all(reference(condition, event, on_arrays) for condition in wanted)


@given(TEXTS, TEXTS, TEXTS, st.booleans())
def test_subjects(subject: str, begin: str, end: str, sensitive: bool) -> None:
    wanted = {"subjectBeginsWith": begin, "subjectEndsWith": end, "isSubjectCaseSensitive": sensitive}
    found = filters.matcher(wanted, "type")({"type": "t", "subject": subject})
    if not sensitive:
        subject, begin, end = subject.upper(), begin.upper(), end.upper()
    assert found == (subject[: len(begin)] == begin and (not end or subject[-len(end) :] == end))


@given(TEXTS, st.lists(st.one_of(TEXTS, st.just("All")), max_size=3))
def test_event_types(kind: str, wanted: list[str]) -> None:
    found = filters.matcher({"includedEventTypes": wanted}, "eventType")({"eventType": kind})
    assert found == (not wanted or "All" in wanted or kind.upper() in [one.upper() for one in wanted])


@pytest.mark.parametrize(
    ("condition", "event", "expected"),
    [
        ({"operatorType": "StringIn", "key": "Subject", "values": ["/A"]}, {"subject": "/a"}, True),
        ({"operatorType": "StringIn", "key": "Data.Key1", "values": ["x"]}, {"data": {"key1": "x"}}, True),
        ({"operatorType": "NumberIn", "key": "data.n", "values": [1]}, {"data": {"n": True}}, False),
        ({"operatorType": "NumberIn", "key": "data.n", "values": [1]}, {"data": {"n": "1"}}, False),
        ({"operatorType": "BoolEquals", "key": "data.n", "value": True}, {"data": {"n": 1}}, False),
        (
            {"operatorType": "NumberNotInRange", "key": "data.n", "values": [[1, 2]]},
            {"data": {"n": 2}},
            False,
        ),
        (
            {"operatorType": "StringContains", "key": "tenant", "values": ["ons"]},
            {"tenant": "contoso"},
            False,
        ),
        ({"operatorType": "IsNullOrUndefined", "key": "data.x"}, {"data": {"x": None}}, True),
    ],
)
def test_examples(condition: dict[str, Any], event: dict[str, Any], expected: bool) -> None:
    assert filters.matcher({"advancedFilters": [condition]}, "type")(event) is expected
