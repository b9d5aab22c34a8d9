"""The command line: what it refuses, and that a sabotage must be seen by the check that is there for it."""

from __future__ import annotations

import pytest

from drills.__main__ import main
from drills.disasters import DRILLS
from drills.report import Check
from drills.sabotage import FAULTS, unseen
from tests.drills.reports import passed

POINT_IN_TIME = DRILLS["point-in-time"]


def test_it_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed and drill.restored_by in printed for name, drill in DRILLS.items())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["point", "point-in-time"], "there is no drill point; there are point-in-time, cluster-loss"),
        (["cluster-loss", "--sabotage", "wrong-time"], "cluster-loss has no sabotage wrong-time"),
    ],
)
def test_it_refuses_what_is_not_there(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("fault", [*FAULTS, *POINT_IN_TIME.sabotages])
def test_a_fault_must_be_seen_by_its_check(fault: str) -> None:
    seer = FAULTS[fault].seen_by if fault in FAULTS else POINT_IN_TIME.sabotages[fault]
    blind = passed()
    assert unseen({fault}, POINT_IN_TIME, blind) == [f"{fault} was not seen by '{seer}'"]
    sees = [Check(name=seer, looked_at="", problems=["seen"])]
    assert unseen({fault}, POINT_IN_TIME, blind.model_copy(update={"checks": sees})) == []
