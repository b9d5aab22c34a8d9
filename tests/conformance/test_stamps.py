"""What ARM writes into a resource by itself, it writes only where the type shows it."""

import pytest

from sandbox.arm.known import catalogue
from sandbox.types.armtype import ArmType
from tests.conformance.judged import ROWS, judge_of


@pytest.mark.parametrize("stamp", ["systemData", "etag"])
@pytest.mark.parametrize("row", ROWS)
def test_arm_stamps_what_the_judge_knows(row: ArmType, stamp: str) -> None:
    body = judge_of(row).body
    known = body["properties"] if "properties" in body else body["baseProperties"]
    info = catalogue().find(row.types[0])
    assert info is not None
    assert info.shows(stamp) == (stamp in known)
