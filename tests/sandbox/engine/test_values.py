"""Property values keep their meaning on the way through the wire form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.engine.values import (
    SIGNATURE,
    UNKNOWN,
    Asset,
    Secret,
    conceal,
    decode,
    drop_unknown,
    encode,
    has_secret,
    has_unknown,
    reveal,
)

ASSET = Asset({SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "text": "hello", "hash": "x"})

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.text(),
    st.just(UNKNOWN),
    st.just(ASSET),
    st.builds(Secret, st.text()),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner), max_leaves=8
)


# Many small values, not few large ones: to draw them is what takes time.
@settings(max_examples=60)
@given(st.dictionaries(st.text(min_size=1), values))
def test_decode_undoes_encode(properties: dict) -> None:
    assert decode(encode(properties)) == properties


def test_whole_numbers_are_integers() -> None:
    decoded = decode(encode({"port": 80.0, "share": 0.5}))
    assert (decoded, type(decoded["port"])) == ({"port": 80, "share": 0.5}, int)


def test_an_output_value_decodes_to_what_it_holds() -> None:
    output = {SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
    decoded = decode(encode({"a": {**output, "value": 1, "secret": True}, "b": output}))
    assert decoded == {"a": Secret(1), "b": UNKNOWN}


def test_marks_are_found_inside_secrets() -> None:
    assert has_unknown({"a": [Secret({"b": UNKNOWN})]})
    assert not has_unknown({"a": [Secret({"b": 1})]})
    assert has_secret([{"a": Secret(1)}])
    assert reveal({"a": Secret({"b": [1]})}) == {"a": {"b": [1]}}


def test_drop_unknown_keeps_list_positions() -> None:
    assert drop_unknown({"a": UNKNOWN, "b": [UNKNOWN, 1]}) == {"b": [None, 1]}


@pytest.mark.parametrize(
    ("value", "like", "concealed"),
    [
        ({"data": {"k": "v"}, "x": 1}, {"data": Secret({"k": "v"})}, {"data": Secret({"k": "v"}), "x": 1}),
        (
            {"data": {"k": "v", "l": "w"}},
            {"data": {"k": Secret("v")}},
            {"data": {"k": Secret("v"), "l": "w"}},
        ),
        ([{"v": 1}, {"v": 2}], [{}, {"v": Secret(2)}], [{"v": 1}, {"v": Secret(2)}]),
        ([1, 2, 3], [Secret(1)], Secret([1, 2, 3])),
        ([1, 2, 3], [1], [1, 2, 3]),
    ],
)
def test_conceal_marks_what_the_inputs_kept_secret(value: object, like: object, concealed: object) -> None:
    assert conceal(value, like) == concealed
