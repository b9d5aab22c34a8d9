"""The program's own stacks keep the rules. `make preview` shows the same, with an engine and more slowly."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from infra.policy.model import UNKNOWN, Resource, Stack, without_version
from tests.conformance.program import record
from tests.infra.policy.test_rules import faults

pytestmark = pytest.mark.slow


def declared(stack: str) -> Stack:
    """What the program declares, with the ids and names that Azure would give."""
    protected = set()

    def look(args: pulumi.ResourceTransformationArgs) -> None:
        if args.opts.protect:
            protected.add((args.type_, args.name))

    return Stack(
        tuple(
            Resource(
                f"urn:pulumi:{stack}::agents::{kind}::{name}",
                without_version(kind),
                _known(inputs),
                (kind, name) in protected,
            )
            for kind, name, inputs in record(stack, transformation=look).registered
        )
    )


def _known(value: Any) -> Any:
    """Values that only Azure knows are not known here either."""
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_known(item) for item in value]
    return UNKNOWN if isinstance(value, str) and "made-up" in value else value


@pytest.mark.parametrize("stack", ["dev", "prod", "prod-backup"])
def test_the_program_keeps_all_rules(stack: str) -> None:
    assert faults(declared(stack)) == {}
