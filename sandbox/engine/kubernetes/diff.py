"""What changed between the inputs an object was last made from and those it should have now."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.engine.kubernetes import rules
from sandbox.engine.kubernetes.objects import DEFAULT_NAMESPACE

_MISSING: Any = object()
_PLAIN = re.compile(r"^[A-Za-z_$][\w$]*$")


@dataclass(frozen=True)
class Change:
    path: rules.Path
    kind: Literal["ADD", "DELETE", "UPDATE"]


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Changes between two revealed objects. Unknown values count as changed; null counts as absent."""
    return list(_walk((), _with_namespace(old), _with_namespace(new)))


def _with_namespace(value: Mapping[str, Any]) -> dict[str, Any]:
    """Naming the default namespace is the same as naming none."""
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("namespace") not in (None, "", DEFAULT_NAMESPACE):
        return dict(value)
    return {**value, "metadata": {key: item for key, item in metadata.items() if key != "namespace"}}


def _walk(path: rules.Path, old: Any, new: Any) -> Iterator[Change]:
    old, new = (_MISSING if item is None else item for item in (old, new))
    if old is _MISSING and new is _MISSING:
        return
    if old is _MISSING or new is _MISSING:
        yield Change(path, "ADD" if old is _MISSING else "DELETE")
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _walk((*path, key), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _walk((*path, index), _at(old, index), _at(new, index))
    elif type(old) is not type(new) or old != new:
        yield Change(path, "UPDATE")


def _at(items: Sequence[Any], index: int) -> Any:
    return items[index] if index < len(items) else None


def shown(path: rules.Path) -> str:
    """A path as the engine writes it: `spec.ports[0].name`, `metadata.labels["app.kubernetes.io/name"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.match(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text
