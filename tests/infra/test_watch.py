"""Which alerts a stack with agents declares."""

from __future__ import annotations

import json

import pytest

from infra.observability.alerts import ALERTS
from infra.settings import Settings, parse
from infra.stacks.watch import rules_of

_STAMP = {"role": "recovery", "source": "prod", "location": "northeurope"}


def _settings(stack: str, drills: bool | None) -> Settings:
    own = {} if drills is None else {"alerts": json.dumps({"drills": drills})}
    open_to_all = {"version": "1.0.0", "agents": json.dumps({"devops": {}}), "location": "westeurope"}
    return parse({**(open_to_all if stack == "dev" else _STAMP), **own}, stack)


@pytest.mark.parametrize(
    ("stack", "drills", "beside"),
    [
        ("dev", True, {"DrillsUnknown"}),
        ("dev", False, set()),
        ("dev", None, set()),
        # As when it has them from its source.
        ("prod-dr", True, set()),
    ],
    ids=["drilled", "not drilled", "not said", "a stamp"],
)
def test_drills_are_asked_for_where_an_environment_is_drilled(
    stack: str, drills: bool | None, beside: set[str]
) -> None:
    names = {alert.name for alert in rules_of(_settings(stack, drills))}
    assert "DrillTooOld" in names
    assert names - {alert.name for alert in ALERTS} == beside
