"""How the engine's paths and values read."""

from __future__ import annotations

import json

import pytest

from infra.review.plan import MISSING, Action, look_up, parse, read, shown
from tests.infra.review.scenarios import SCENARIOS

_VALUE = {"a": {"b": [{"c.d": 1}, {"e": None}]}, "0": "digit"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b[1].e", None),
        ('a.b[0]["c.d"]', 1),
        ("a.b[2]", MISSING),
        ("a.x.y", MISSING),
        ("0", "digit"),
    ],
)
def test_property_paths(path: str, expected: object) -> None:
    assert look_up(_VALUE, path) is expected or look_up(_VALUE, path) == expected


def test_values_are_shown_on_one_short_line() -> None:
    assert shown(MISSING) == "not set"
    assert shown("04da6b54-80e4-46f7-96ec-b56ff0331ba9") == "known after the update"
    assert shown({"id": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}) == '{"id": known after the update}'
    assert len(shown("x" * 500)) == 80
    assert "\n" not in shown("one\ntwo")


def test_a_plan_counts_what_stays() -> None:
    found = read(SCENARIOS["updated"].plan)
    assert [(change.name, change.action) for change in found.changes] == [("cosmos", Action.UPDATE)]
    assert found.unchanged >= 5
    (tag,) = found.changes[0].properties
    assert (tag.path, tag.before, tag.after, tag.replaces) == ("tags.owner", MISSING, "agents", False)


def test_that_the_program_ended_is_told_only_where_nothing_else_is() -> None:
    ended = "error: an unhandled error occurred: Program exited with non-zero exit code: 1\n"
    said = "error: agents:verson is not a setting\n"

    def errors(*messages: str) -> tuple[str, ...]:
        diagnostics = [{"message": message, "severity": "error"} for message in messages]
        return parse(json.dumps({"diagnostics": diagnostics})).errors

    assert errors(said, ended, "error: preview failed\n") == ("agents:verson is not a setting",)
    assert len(errors(ended)) == 1


def test_an_alias_is_no_change() -> None:
    assert read(SCENARIOS["renamed_with_alias"].plan).changes == ()
