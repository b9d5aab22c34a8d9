"""A state is built again until nothing is left to import, from the backup where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drills.disasters.state_lost import build_again
from drills.shell import CommandError
from drills.stack import Stack
from drills.timeline import Timeline
from tests.drills.scripted import Scripted, stacks

ADOPT = "infra.recovery.adopt --stack dev"
ALONE = {"pulumi stack ls": stacks("dev"), "stack export": "exported", "infra.recovery.settle": "settled"}
STEPS = ("adopt", "pulumi --non-interactive import", "settle --stack", "stack import", " up -s dev")


def built(folder: Path, answers: dict[str, Any]) -> Scripted:
    shell = Scripted(answers=answers)
    build_again(Stack(shell, Timeline(), folder))
    return shell


def test_it_is_repeated_until_nothing_is_found(tmp_path: Path) -> None:
    shell = built(tmp_path, {**ALONE, ADOPT: [(0, "first"), (0, "second"), (1, "none")]})
    round_ = list(STEPS[:4])
    # Helm's notes go before the update that takes everything over, and its variable with the one after it.
    ends = ["owner=helm", " up -s dev", " up -s dev"]
    assert shell.order(*STEPS, "owner=helm") == [*round_, *round_, "adopt", *ends]
    assert (tmp_path / "import.json").read_text() == "second"
    assert (tmp_path / "settled.json").read_text() == "settled"
    assert "uv run" not in " ".join(shell.ran), "uv would install the copy in place of the checkout"


def test_it_does_not_go_on_for_ever(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="after 10 rounds there is still something to import"):
        built(tmp_path, {**ALONE, ADOPT: "again"})


@pytest.mark.parametrize(
    "answers",
    [{ADOPT: (2, "away")}, {ADOPT: "some", "infra.recovery.settle": (2, "away")}],
    ids=["adopt", "settle"],
)
def test_what_could_not_be_looked_at_is_no_end(answers: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="ended with code 2"):
        built(tmp_path, {**ALONE, **answers})


def test_a_backup_has_a_copy(tmp_path: Path) -> None:
    kept = {"pulumi stack ls": stacks("dev", "dev-backup"), "infra.recovery.state fetch": "kept"}
    shell = built(tmp_path, kept)
    assert shell.order("fetch --stack dev", *STEPS) == ["fetch --stack dev", "stack import", " up -s dev"]
    assert (tmp_path / "fetched.json").read_text() == "kept"
    assert shell.ran[-1].endswith("--refresh")


def test_a_backup_without_a_copy_is_told(tmp_path: Path) -> None:
    answers = {"pulumi stack ls": json.dumps([{"name": "dev-backup"}]), "state fetch": (1, "no copies")}
    with pytest.raises(CommandError, match="no copies"):
        built(tmp_path, answers)
