"""The program's own stacks keep the rules. `make preview` shows the same, with an engine and more slowly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from infra.policy.model import UNKNOWN, Resource, Stack, without_version
from tests.conformance.bicep import ROOT
from tests.conformance.program import record
from tests.infra.graph.record import STACKS
from tests.infra.policy.test_rules import faults

pytestmark = pytest.mark.slow


def declared(stack: str, root: Path = ROOT) -> Stack:
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
            for kind, name, inputs in record(stack, root=root, transformation=look).registered
        )
    )


def _known(value: Any) -> Any:
    """Values that only Azure knows are not known here either."""
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_known(item) for item in value]
    return UNKNOWN if isinstance(value, str) and "made-up" in value else value


@pytest.mark.parametrize("stack", STACKS)
def test_the_program_keeps_all_rules(stack: str) -> None:
    assert faults(declared(stack)) == {}


def test_a_stamp_with_data_of_its_own_keeps_all_rules(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "Pulumi.prod-dr.yaml").read_text())
    config["config"]["agents:recovery"] = {
        "sql": "geo-restore",
        "cosmos": "restore",
        "as_of": "2026-11-28T09:59:30Z",
    }
    (tmp_path / "Pulumi.prod-dr.yaml").write_text(yaml.safe_dump(config))
    assert faults(declared("prod-dr", tmp_path)) == {}
