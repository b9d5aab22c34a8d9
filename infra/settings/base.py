"""What a stack that belongs to an environment takes over from it: `Pulumi.<source>.yaml` of the checkout.

A backup or recovery stack is needed most when its source's state or region is gone, so it reads the file and
not a stack reference, and says itself only what differs. The source's secrets are encrypted with a key that
no other stack has; they are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

NAMESPACE = "agents"
#: The checkout: where the project and its stacks' settings are.
PROJECT = Path(__file__).parents[2]
#: What is the source's own: who and where it is, and what became of its data. Which of its data it went back
#: to, gave up or published again is said of that data once, and would be untrue of a stack that has none or
#: takes it over. Everything else is inherited (`tests/infra/test_settings_inherited.py` has each).
_OWN = frozenset(
    {
        "environment",
        "location",
        "paired_location",
        "role",
        "source",
        "recovery",
        "restores",
        "republish",
        "begin_empty",
    }
)
#: Roles of stacks that belong to an environment.
BELONGING = ("backup", "recovery")


class BaseError(ValueError):
    """There is no such source; the message says what to do."""


def misplaced(values: Mapping[str, Any]) -> str:
    """Why a stack of this role cannot have this source, or none; empty when it can."""
    role, source = values.get("role", "environment"), values.get("source")
    if role not in BELONGING and source is not None:
        return (
            f"{NAMESPACE}:source is {source}, but {NAMESPACE}:role is {role}: set the role to "
            f"{' or '.join(BELONGING)}, or remove the source with `pulumi config rm {NAMESPACE}:source`"
        )
    if role in BELONGING and not source:
        return (
            f"{NAMESPACE}:role is {role}, so {NAMESPACE}:source must name the environment that the stack "
            f"belongs to: pulumi config set {NAMESPACE}:source prod"
        )
    if source == values["environment"]:
        return f"{NAMESPACE}:source is {source}, this stack itself; name the environment that it belongs to"
    return ""


def values_of(stack: str, project: Path = PROJECT) -> dict[str, Any]:
    """Everything under `agents:` in a stack's file, and its location, without secrets. Raises BaseError."""
    file = project / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        there = ", ".join(sorted(path.name.split(".")[1] for path in project.glob("Pulumi.*.yaml"))) or "none"
        raise BaseError(
            f"{NAMESPACE}:source is {stack!r}, but there is no {file.name} beside Pulumi.yaml. There are: "
            f"{there}"
        )
    config = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("config") or {}
    values = {
        key.removeprefix(f"{NAMESPACE}:"): _as_given(_readable(value))
        for key, value in config.items()
        if key.startswith(f"{NAMESPACE}:") and not _secret(value)
    }
    return {"location": config.get("azure-native:location", ""), **values}


def inherited(source: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The source's values with those of the stack itself laid over them, mappings key by key.

    A stack without a location of its own is where the source has its second copies.
    """
    base = {key: value for key, value in source.items() if key not in _OWN}
    for key, value in own.items():
        if key != "location" or value:
            base[key] = _over(base.get(key), value)
    if "location" not in base and "paired_location" in source:
        base["location"] = source["paired_location"]
    return base


def _over(base: Any, own: Any) -> Any:
    if not isinstance(base, Mapping) or not isinstance(own, Mapping):
        return own
    return {**base, **{key: _over(base.get(key), value) for key, value in own.items()}}


def _secret(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"secure"}


def _readable(value: Any) -> Any:
    """Without what is encrypted, at any depth."""
    if isinstance(value, Mapping):
        return {key: _readable(inner) for key, inner in value.items() if not _secret(inner)}
    if isinstance(value, list):
        return [_readable(inner) for inner in value if not _secret(inner)]
    return value


def _as_given(value: Any) -> Any:
    """As the engine hands it over: what is not structured, as text."""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, date) else value
