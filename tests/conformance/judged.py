"""The table's rows with their judges, and the few places where the two speak of different versions."""

import re

import pytest

from sandbox.types import models, table
from sandbox.types.armtype import ArmType
from tests.conformance.bicep import BicepType, Problem, bicep_type

ROWS = [pytest.param(row, id=row.type) for row in table.ROWS if row.pulumi]
WITH_MODEL = [
    pytest.param(row, id=row.type)
    for row in table.ROWS
    if row.pulumi and row.model and not models.is_old(models.load(row.model))
]

#: The SDK shares these classes' properties with other API versions; the judge's version lacks them.
_OTHER_VERSIONS = re.compile(
    r"\.serviceGateway$|sqlRoleDefinitions properties\.permissions\[\d+\]\.id$"
    r"|raiPolicies properties\.(contentFilters\[\d+\]\.action|safetyProviders)$"
)


def judge_of(row: ArmType) -> BicepType:
    """The judge of a row at the SDK's API version. Every row with a Pulumi token has one."""
    found = bicep_type(row.types[0], row.api_version)
    assert found is not None, f"the bicep types hold no {row.types[0]}@{row.api_version}"
    return found


def violations(row: ArmType, body: object) -> list[Problem]:
    """What the judge finds wrong, known differences of version aside."""
    assert isinstance(body, dict)
    found = judge_of(row).problems(body)
    return [item for item in found if not _OTHER_VERSIONS.search(f"{row.type.split('/')[-1]} {item[1]}")]
