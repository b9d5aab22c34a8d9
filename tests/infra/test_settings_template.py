"""The settings template is current, complete, and itself a valid configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from infra.settings import Settings, parse
from infra.settings.template import render

_FILE = Path(__file__).parents[2] / "docs" / "settings.yaml"


def _values() -> dict[str, Any]:
    config = yaml.safe_load(render())["config"]
    return {key.partition(":")[2]: value for key, value in config.items()}


def test_the_template_is_current() -> None:
    command = "uv run python -m infra.settings.template > docs/settings.yaml"
    assert _FILE.read_text() == render(), f"run: {command}"


def test_it_names_every_setting() -> None:
    assert set(_values()) == set(Settings.model_fields)


def test_it_can_be_used_as_it_stands_and_changes_nothing() -> None:
    values = {
        key: json.dumps(value, default=str) if isinstance(value, dict | list) else value
        for key, value in _values().items()
        if value is not None
    }
    least = {"location": "westeurope", "version": "1.0.0", "agents": json.dumps({"notification": {}})}
    sql = {"long_term": {}}
    entra = {"tenant": "11111111-2222-3333-4444-555555555555", "audience": "api://agents"}
    shown = {**least, "sql": json.dumps(sql), "authentication": json.dumps(entra)}
    assert parse(values, "dev") == parse(shown, "dev")
