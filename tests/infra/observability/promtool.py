"""Runs promtool, Prometheus' own judge of rules."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from infra.observability.alerts import Alert
from infra.observability.rulefile import render
from tests.infra.observability.scenario import Scenario


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed; `make up` installs it with Debian's prometheus package")
    return subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )


def failures(folder: Path, alerts: Iterable[Alert], scenarios: Iterable[Scenario]) -> str:
    """What promtool finds wrong when `alerts` go through `scenarios`; empty when they behave.

    A scenario is judged with the rules of its alert alone: promtool evaluates each rule of a file in each
    minute of each scenario, and asks about one alert. Rules do not build on each other.
    """
    by_alert: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        by_alert.setdefault(scenario.alert, []).append(scenario)
    known = list(alerts)
    files = [
        _tests_file(folder, name, [alert for alert in known if alert.name == name], mine)
        for name, mine in by_alert.items()
    ]
    done = promtool("test", "rules", *files)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _tests_file(folder: Path, name: str, alerts: list[Alert], scenarios: list[Scenario]) -> Path:
    (folder / f"{name}.rules.yaml").write_text(render(alerts))
    tests = [
        {key: value for key, value in scenario.test().items() if key != "name"} for scenario in scenarios
    ]
    file = folder / f"{name}.tests.yaml"
    file.write_text(
        yaml.safe_dump({"rule_files": [f"{name}.rules.yaml"], "evaluation_interval": "1m", "tests": tests})
    )
    return file
