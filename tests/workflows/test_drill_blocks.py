"""The blocks of drills.yml, with real make; what they start is tested elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drills.disasters import DRILLS
from drills.report import write
from tests.drills.reports import failed, passed
from tests.workflows.blocks import ROOT, block, workflows


def test_the_sandbox_is_started_as_the_readme_says() -> None:
    """Not here: make says what it would run."""
    done = block("drills.yml", "drill", "Start the sandbox").run(ROOT, {**os.environ, "MAKEFLAGS": "n"})
    assert done.returncode == 0, done.stdout
    assert "uv run sandbox up && uv run sandbox deploy" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("drill", ["no-such-drill", "no-such-drill point-in-time"])
def test_a_drill_is_run_by_its_name(drill: str) -> None:
    done = block("drills.yml", "drill", "Drill").run(ROOT, {**os.environ, "DRILL": drill})
    assert done.returncode != 0
    assert "there is no drill no-such-drill; there are point-in-time" in done.stdout


def test_the_choice_is_of_all_drills() -> None:
    choice = workflows()["drills.yml"][True]["workflow_dispatch"]["inputs"]["drill"]
    assert choice["options"] == ["all", *DRILLS]


def test_the_report_is_shown(tmp_path: Path) -> None:
    show = block("drills.yml", "drill", "Show the report")
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    assert show.run(tmp_path, environment).returncode != 0, "there is none yet"
    write([passed(), failed()], tmp_path / "drills" / "out")
    assert show.run(tmp_path, environment).returncode == 0
    assert "| vault-deleted | **FAILED** |" in (tmp_path / "summary.md").read_text()
