"""`ignore_changes` under server-side apply: what others own is left out, what we own keeps its live value."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.engine.kubernetes.objects import Object

_STEP = re.compile(r'\.?([^.\[\]"]+)|\["([^"]+)"\]|\[(\d+)\]')


def without_ignored(inputs: Object, live: Object, paths: Iterable[str], manager: str) -> Object:
    """The inputs to apply to `live`. Paths are the engine's (`spec.replicas`, `metadata.labels["a/b"]`)."""
    found = copy.deepcopy(inputs)
    for path in paths:
        steps: list[str | int] = [
            int(index) if index else name or quoted for name, quoted, index in _STEP.findall(path)
        ]
        parent = _at(found, steps[:-1])
        if not steps or not _has(parent, steps[-1]):
            continue
        if _owned(live, steps, manager, ours=False) and not _owned(live, steps, manager, ours=True):
            if isinstance(parent, dict):
                del parent[steps[-1]]
        elif (value := _at(live, steps)) is not None:
            parent[steps[-1]] = copy.deepcopy(value)
    return found


def _at(value: Any, steps: list[str | int]) -> Any:
    for step in steps:
        if not _has(value, step):
            return None
        value = value[step]
    return value


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _owned(live: Object, steps: list[str | int], manager: str, *, ours: bool) -> bool:
    entries: Iterable[Mapping[str, Any]] = live.get("metadata", {}).get("managedFields") or ()
    return any(
        _covers(entry.get("fieldsV1", {}), steps)
        for entry in entries
        if (entry.get("manager") == manager) == ours
    )


def _covers(fields: Mapping[str, Any], steps: list[str | int]) -> bool:
    for step in steps:
        if isinstance(step, int) or f"f:{step}" not in fields:
            return False  # list items are owned by their keys, not their place
        fields = fields[f"f:{step}"]
    return True
