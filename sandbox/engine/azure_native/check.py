"""Check: fills in names and locations that the program left out, and says what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.engine.azure_native.azure import Azure
from sandbox.engine.azure_native.inputs import Failure, bare, failures
from sandbox.engine.azure_native.naming import auto_name
from sandbox.engine.values import UNKNOWN
from sandbox.types.armtype import ArmType
from sandbox.types.schema import Schema


@dataclass(frozen=True)
class Checked:
    inputs: dict[str, Any]
    failures: list[Failure]


def check(
    row: ArmType,
    schema: Schema,
    azure: Azure,
    *,
    logical_name: str,
    seed: bytes,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> Checked:
    """The inputs to go on with. `old` are the inputs in the state; empty for a new resource."""
    inputs = {name: value for name, value in new.items() if value is not None}
    name = row.name_parameter
    if name is not None and name not in inputs:
        inputs[name] = old.get(name) or auto_name(row, logical_name, seed)
    if _wants_location(row, schema) and "location" not in inputs:
        location = _location(row, azure, inputs, old)
        if location is not None:
            inputs["location"] = location
    return Checked(inputs, [*failures(row, schema, inputs), *_name_failures(row, inputs)])


def _wants_location(row: ArmType, schema: Schema) -> bool:
    entry = schema.definitions[schema.root].sdk.get("location")
    settable = entry is not None and entry.input and "location" not in row.parameters
    return row.auto_location and settable


def _location(row: ArmType, azure: Azure, inputs: Mapping[str, Any], old: Mapping[str, Any]) -> Any:
    """By the official provider's order: what is there, the configuration, the resource group."""
    if old.get("location"):
        return old["location"]
    if row.location:
        return row.location
    if azure.known and azure.settings.location:
        return azure.settings.location
    group = bare(inputs.get("resourceGroupName"))
    if not azure.known or not isinstance(group, str):
        return UNKNOWN if group is not None else None
    # A group that is not there yet is one this very update makes.
    return azure.group_location(group) or UNKNOWN


def _name_failures(row: ArmType, inputs: Mapping[str, Any]) -> list[Failure]:
    parameter = row.name_parameter
    name = bare(inputs.get(parameter or ""))
    if parameter is None or row.name is None or not isinstance(name, str) or row.name.allows(name):
        return []
    return [(parameter, f"'{name}' is not a name that {row.type} takes: it must be {row.name.wording}")]
