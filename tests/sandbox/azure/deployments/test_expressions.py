"""The template language: its grammar, its values, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource
from sandbox.azure.deployments import functions
from sandbox.azure.deployments.expressions import check, evaluate

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
OTHER = "22222222-2222-2222-2222-222222222222"
FUNCTIONS = functions.of_scope(Resource(parse_id(GROUP), {"location": "westeurope"}, 0, 0), "tenant")


def value(text: Any) -> Any:
    return evaluate(text, FUNCTIONS)


def refusal(text: Any) -> str:
    with pytest.raises(ArmError) as error:
        evaluate(text, FUNCTIONS)
    assert (error.value.status, error.value.code) == (400, "InvalidTemplate")
    return error.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("[concat('a', 'b', 1)]", "ab1"),
        ("[ concat ( 'it''s' ) ]", "it's"),
        ("[CONCAT('a')]", "a"),
        ("[concat('[', ']')]", "[]"),
        ("['text']", "text"),
        ("[-3]", -3),
        ("[[concat('a')]", "[concat('a')]"),
        ("[a] b", "[a] b"),
        ("[[a] b", "[[a] b"),
        ("[format('{0}-{1}-{0}', 'a', 2)]", "a-2-a"),
        ("[format('{{{0}}}', 'a')]", "{a}"),
        ("[resourceGroup().location]", "westeurope"),
        ("[resourceGroup()['NAME']]", "rg"),
        ("[resourceGroup().id]", GROUP),
        ("[subscription().subscriptionId]", GROUP.split("/")[2]),
        ("[resourceId('A.B/c', 'x')]", f"{GROUP}/providers/A.B/c/x"),
        ("[resourceId('A.B/c/d', 'x', 'y')]", f"{GROUP}/providers/A.B/c/x/d/y"),
        ("[resourceId('other', 'A.B/c', 'x')]", f"{GROUP[:-2]}other/providers/A.B/c/x"),
        (
            f"[resourceId('{OTHER}', 'g', 'A.B/c', 'x')]",
            f"/subscriptions/{OTHER}/resourceGroups/g/providers/A.B/c/x",
        ),
        ({"[concat('k')]": ["[concat('v')]", 1, None, True]}, {"k": ["v", 1, None, True]}),
    ],
)
def test_values(text: Any, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[toLower('A')]", "toLower"),
        ("[uniqueString('A')]", "uniqueString"),
        ("[my.function('A')]", "expected '(', found '.'"),
        ("[]", "expected a function, a text or an integer, found the end"),
        ("[concat('a'", None),
        ("[concat('a')x]", "expected the end, found 'x'"),
        ("[concat('a',)]", "expected a function"),
        ("[concat('a]", "position 7 starts nothing"),
        ("[concat(1 + 1)]", "starts nothing"),
        ("[resourceGroup().nothing]", "'nothing' doesn't exist"),
        ("[resourceGroup('x')]", "no arguments"),
        ("[format('{1}', 'a')]", "Unable to format"),
        ("[format('{0:N2}', 1)]", "Unable to format"),
        ("[resourceId('A.B/c', 'x', 'y')]", "requires '1' resource name"),
        ("[resourceId('x')]", "fully qualified"),
        (f"[{'concat(' * 100}'a'{')' * 100}]", "nested deeper"),
        (f"[concat('{'a' * 30_000}')]", "length limit"),
        ("[concat(resourceGroup(), 'a')]", "must be an array"),
    ],
)
def test_refusals(text: str, told: str | None) -> None:
    if told is None:
        assert value(text) == text  # without its closing bracket it is a string like any other
    else:
        assert told in refusal(text)


def test_a_function_is_refused_wherever_it_is_called() -> None:
    inner = {"a": [{"b": "[concat('x', toUpper('y'))]"}]}
    with pytest.raises(ArmError, match="toUpper"):
        check(inner, FUNCTIONS)
    check({"a": "[concat('x')]"}, FUNCTIONS)


@given(st.text())
def test_a_quoted_text_is_itself(text: str) -> None:
    quoted = text.replace("'", "''")
    assert value(f"[concat('{quoted}')]") == text


@given(st.lists(st.text(max_size=5), min_size=1, max_size=5))
def test_concat_is_concatenation(parts: list[str]) -> None:
    quoted = ["'" + part.replace("'", "''") + "'" for part in parts]
    assert value(f"[concat({', '.join(quoted)})]") == "".join(parts)
    nested = quoted[0]
    for part in quoted[1:]:
        nested = f"concat({nested}, {part})"
    assert value(f"[concat({nested})]") == "".join(parts)


@given(st.text(alphabet="[]()'.,abc01 {}-").map(lambda text: f"[{text}]"))
def test_nothing_but_a_refusal_comes_of_noise(text: str) -> None:
    try:
        value(text)
    except ArmError as error:
        assert error.code == "InvalidTemplate"  # noqa: PT017  (a value is as good)


@given(st.recursive(st.none() | st.booleans() | st.integers(), st.lists))
def test_what_is_no_string_stays(found: Any) -> None:
    assert value(found) == found
