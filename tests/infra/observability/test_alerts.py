"""The alerts fire at the runbook's figures and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.observability.alerts import Alert
from infra.observability.rulefile import CATALOGUE, render
from tests.infra.observability.backup_scenarios import SCENARIOS as OF_BACKUPS
from tests.infra.observability.promtool import failures, promtool
from tests.infra.observability.scenarios import SCENARIOS as OF_AGENTS

SCENARIOS = (*OF_AGENTS, *OF_BACKUPS)
_RENDERED = Path(__file__).with_name("rules.yaml")


def test_every_alert_fires_at_its_boundary_and_not_before(tmp_path: Path) -> None:
    assert not failures(tmp_path, CATALOGUE, SCENARIOS)


@pytest.mark.parametrize("alert", CATALOGUE, ids=lambda alert: alert.name)
def test_no_alert_builds_on_another(alert: Alert) -> None:
    """Each is judged alone."""
    assert "ALERTS" not in alert.expression


@pytest.mark.parametrize("alert", CATALOGUE, ids=lambda alert: alert.name)
def test_every_alert_is_seen_to_fire_and_to_stay_silent(alert: Alert) -> None:
    mine = [scenario for scenario in SCENARIOS if scenario.alert == alert.name]
    assert any(scenario.fires for scenario in mine)
    assert any(scenario.silent and not scenario.fires for scenario in mine)


def test_the_rule_file_passes_promtools_own_check(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(render())
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rendered_rules_are_current() -> None:
    """A reviewer sees what a change of the catalogue does to the rules."""
    message = f"run: uv run python -m infra.observability.rulefile > {_RENDERED.relative_to(Path.cwd())}"
    assert _RENDERED.read_text() == render(), message
