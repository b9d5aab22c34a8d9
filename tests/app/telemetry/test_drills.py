"""Figures of drills as Prometheus reads them."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from app.telemetry import drills
from infra.observability import metrics as queried

RESULTS = {
    "drills": {
        "region-loss": {"last_run": 1200, "last_success": 1200, "rto_seconds": 90.5, "rpo_seconds": 0},
        "vault-deleted": {"last_run": 1300},
    }
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "results.json"


def samples(file: Path) -> list[str]:
    registry = CollectorRegistry()
    drills.expose(file, registry)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_what_a_drill_found_is_shown(file: Path) -> None:
    file.write_text(json.dumps(RESULTS))
    found = samples(file)
    assert found == [
        'drill_last_run_timestamp_seconds{drill="region-loss"} 1200.0',
        'drill_last_run_timestamp_seconds{drill="vault-deleted"} 1300.0',
        'drill_last_success_timestamp_seconds{drill="region-loss"} 1200.0',
        'drill_rto_seconds{drill="region-loss"} 90.5',
        'drill_rpo_seconds{drill="region-loss"} 0.0',
    ]
    assert any(line.startswith(queried.DRILL_SUCCESS) for line in found)


def test_it_is_read_anew_each_time(file: Path) -> None:
    registry = CollectorRegistry()
    drills.expose(file, registry)
    assert b"region-loss" not in generate_latest(registry)
    file.write_text(json.dumps(RESULTS))
    assert b"region-loss" in generate_latest(registry)


@pytest.mark.parametrize(
    "text", ["", "{", '{"drills": {"a": {"last_run": -1}}}', '{"drills": {"a": {"last_run": 1, "b": 2}}}']
)
def test_what_cannot_be_read_is_no_figure(file: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text(text)
    with caplog.at_level(logging.WARNING):
        assert samples(file) == []
    assert str(file) in caplog.text
