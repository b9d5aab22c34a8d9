"""What Azure answers has its place among the outputs that Pulumi's SDK promises, for every type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.types import sdkshapes, table, translate
from sandbox.types.armtype import ArmType
from tests.conformance.bicep import WRITE_ONLY, BicepType, bicep_type

#: Made up by the provider; no answer holds it.
_PROVIDERS = {"azureApiVersion"}
_ROWS = [pytest.param(row, id=row.type) for row in table.ROWS if row.pulumi]


#: Values of what has no parts.
_SIMPLE = {"IntegerType": 1, "BooleanType": True}


def answer(judge: BicepType, kind: Mapping[str, Any], within: tuple[int, ...] = ()) -> Any:
    """A value that has everything an answer may have, once; what holds itself ends where it begins anew."""
    if id(kind) in within:
        return {}

    def of(reference: Mapping[str, Any]) -> Any:
        return answer(judge, judge.resolve(reference), (*within, id(kind)))

    match kind["$type"]:
        case "ObjectType":
            return {name: of(entry["type"]) for name, entry in _shown(kind["properties"])}
        case "DiscriminatedObjectType":
            one = judge.resolve(next(iter(kind["elements"].values())))
            properties = {**kind["baseProperties"], **one["properties"]}
            return {name: of(entry["type"]) for name, entry in _shown(properties)}
        case "ArrayType":
            return [of(kind["itemType"])]
        case "UnionType":
            return of(kind["elements"][0])
        case _:
            return kind.get("value") or _SIMPLE.get(kind["$type"], "text")


def _shown(properties: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, entry) for name, entry in properties.items() if not entry["flags"] & WRITE_ONLY]


@pytest.mark.parametrize("row", _ROWS)
def test_every_output_of_the_sdk_is_found_in_an_answer(row: ArmType) -> None:
    judge = bicep_type(row.types[0], row.api_version)
    assert judge is not None
    assert row.pulumi
    promised = {item.name for item in sdkshapes.resource_properties(row.pulumi)[1]} - _PROVIDERS
    assert promised <= translate.from_wire(row.types[0], answer(judge, judge.body)).keys()
