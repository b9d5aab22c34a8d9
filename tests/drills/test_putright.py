"""After a drill that was killed anywhere the stack is as declared, and nothing begins anew that need not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from drills import kept_state
from drills.putright import put_right
from drills.shell import CommandError
from drills.stack import Stack
from drills.timeline import Timeline
from tests.drills.scripted import Scripted, stacks
from tests.drills.test_refusals import ACCOUNT, printed
from tests.drills.test_stamp import HOME

WHOLE = {
    "sandbox outage --json": "[]",
    "pulumi stack ls": stacks("dev"),
    "aks list": json.dumps([{"name": "aks-agents-dev"}]),
}


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for step in (kept_state.keep, kept_state.forget, kept_state.give_back):
        monkeypatch.setattr(step, "__defaults__", (tmp_path,))
    return tmp_path / "kept-state-dev.json"


def righted(folder: Path, **answers: Any) -> Scripted:
    shell = Scripted(answers={**answers, **WHOLE})
    put_right(Stack(shell, Timeline(), folder))
    return shell


def test_a_stack_that_is_right_is_only_deployed(tmp_path: Path) -> None:
    shell = righted(tmp_path)
    assert shell.order("stack import", "destroy", " up -s dev", "sandbox deploy") == ["sandbox deploy"]


def test_a_region_comes_back(tmp_path: Path) -> None:
    outage = json.dumps([{"region": "westeurope"}])
    shell = Scripted(answers={**WHOLE, "sandbox outage --json": outage})
    put_right(Stack(shell, Timeline(), tmp_path))
    wanted = ["outage westeurope --end", "fault clear", "sandbox deploy"]
    assert shell.order(*wanted) == wanted


def test_a_lost_state_is_given_back_before_the_stack_would_begin_anew(tmp_path: Path, kept: Path) -> None:
    kept.write_text("{}")
    shell = righted(tmp_path)
    wanted = ["stack select", "stack import -s dev --force", " up -s dev", "sandbox deploy"]
    assert shell.order(*wanted) == wanted
    assert not kept.exists()
    assert righted(tmp_path).order("stack import") == []


def test_a_state_that_cannot_be_given_back_is_kept(tmp_path: Path, kept: Path) -> None:
    kept.write_text("{}")
    with pytest.raises(CommandError, match="stack import"):
        righted(tmp_path, **{"stack import": (255, "no")})
    assert kept.read_text() == "{}"


def test_what_is_kept_is_whole_and_for_nobody_else(tmp_path: Path, kept: Path) -> None:
    stack = Stack(Scripted(answers={"stack export": '{"deployment": {}}'}), Timeline(), tmp_path)
    assert kept_state.keep(stack) == kept.read_text() == '{"deployment": {}}'
    assert kept.stat().st_mode & 0o077 == 0
    kept_state.forget(stack)
    assert not kept.exists()


def test_a_stamp_is_gone_before_dev_would_lose_its_second_copies(tmp_path: Path) -> None:
    shell = Scripted(answers={**WHOLE, **HOME})
    put_right(Stack(shell, Timeline(), tmp_path))
    wanted = ["failover-group set-primary", "destroy -s dev-dr", "sandbox deploy"]
    assert shell.order(*wanted) == wanted


def test_data_that_a_killed_drill_deleted_are_given_up(tmp_path: Path) -> None:
    shell = righted(
        tmp_path,
        **{"sandbox deploy": [(1, "not there"), (0, "")], " up -s dev": [(255, printed(ACCOUNT)), (0, "")]},
    )
    ups = [line for line in shell.ran if " up -s dev" in line]
    assert [line.endswith(f"--refresh --config-file {tmp_path / 'Pulumi.dev.yaml'}") for line in ups] == [
        False,
        True,
    ]
    written = yaml.safe_load((tmp_path / "Pulumi.dev.yaml").read_text())["config"]
    assert written["agents:begin_empty"] == [ACCOUNT.identity]
    assert "agents:restores" not in written


def test_another_failure_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="the cloud is away"):
        righted(tmp_path, **{"sandbox deploy": (1, ""), " up -s dev": (255, "the cloud is away")})
