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
    """What promtool finds wrong when `alerts` go through `scenarios`; empty when they behave."""
    (folder / "rules.yaml").write_text(render(alerts))
    tests = [
        {key: value for key, value in scenario.test().items() if key != "name"} for scenario in scenarios
    ]
    tests_file = folder / "tests.yaml"
    tests_file.write_text(
        yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests})
    )
    done = promtool("test", "rules", tests_file)
    return "" if done.returncode == 0 else done.stdout + done.stderr
