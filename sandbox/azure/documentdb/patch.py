"""Partial document update: add, set, replace, remove, incr, move.

Source: https://learn.microsoft.com/azure/cosmos-db/partial-document-update
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.azure.documentdb import partition
from sandbox.azure.documentdb.errors import bad_request

_MAXIMUM = 10
_FIXED = ("id", "_rid", "_self", "_etag", "_attachments", "_ts")


def _segments(path: Any) -> list[str]:
    """The names of a JSON pointer."""
    if not isinstance(path, str) or not path.startswith("/") or len(path) < 2:
        raise bad_request(f"For the patch operation, the path '{path}' is not a JSON pointer like /name.")
    return [name.replace("~1", "/").replace("~0", "~") for name in path[1:].split("/")]


def _index(name: str, length: int) -> int:
    if name == "-":
        return length
    if not name.isdigit() or int(name) > length:
        raise bad_request(f"For the patch operation, the array index '{name}' is out of bounds.")
    return int(name)


def _parent(document: Any, names: Sequence[str]) -> Any:
    """What holds the last of the names."""
    for name in names[:-1]:
        if isinstance(document, list):
            position = _index(name, len(document))
            document = document[position] if position < len(document) else None
        elif isinstance(document, dict):
            document = document.get(name)
        if not isinstance(document, dict | list):
            raise bad_request(
                f"For the patch operation, the path /{'/'.join(names)} does not exist: '{name}' is no object "
                "or array."
            )
    return document


def _exists(parent: Any, name: str) -> bool:
    if isinstance(parent, list):
        return name.isdigit() and int(name) < len(parent)
    return name in parent


def _read(parent: Any, name: str) -> Any:
    return parent[int(name)] if isinstance(parent, list) else parent[name]


def _put(parent: Any, name: str, value: Any, *, insert: bool) -> None:
    if not isinstance(parent, list):
        parent[name] = value
        return
    position = _index(name, len(parent))
    if insert or position == len(parent):
        parent.insert(position, value)
    else:
        parent[position] = value


def _drop(parent: Any, name: str) -> None:
    if isinstance(parent, list):
        del parent[int(name)]
    else:
        del parent[name]


def _require(parent: Any, name: str, kind: str, path: str) -> None:
    if not _exists(parent, name):
        raise bad_request(f"For {kind} operation, the target path '{path}' does not exist.")


def _increase(parent: Any, name: str, value: Any, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_request("For incr operation, the value must be a number.")
    now = _read(parent, name) if _exists(parent, name) else 0
    if isinstance(now, bool) or not isinstance(now, int | float):
        raise bad_request(f"For incr operation, the value at '{path}' is not a number.")
    _put(parent, name, now + value, insert=False)


def _one(document: dict[str, Any], operation: Mapping[str, Any]) -> None:
    kind, path = operation.get("op"), operation.get("path")
    names = _segments(path)
    parent, name = _parent(document, names), names[-1]
    value = operation.get("value")
    if kind in ("add", "set"):
        _put(parent, name, value, insert=kind == "add")
    elif kind == "replace":
        _require(parent, name, "replace", str(path))
        _put(parent, name, value, insert=False)
    elif kind == "remove":
        _require(parent, name, "remove", str(path))
        _drop(parent, name)
    elif kind in ("incr", "increment"):
        _increase(parent, name, value, str(path))
    elif kind == "move":
        source = _segments(operation.get("from"))
        holder = _parent(document, source)
        _require(holder, source[-1], "move", str(operation.get("from")))
        moved = _read(holder, source[-1])
        _drop(holder, source[-1])
        _put(_parent(document, names), name, moved, insert=True)
    else:
        raise bad_request(f"'{kind}' is not a patch operation.")


def _check_paths(operation: Mapping[str, Any], keys: Sequence[str]) -> None:
    for field in ("path", "from"):
        if field not in operation:
            continue
        names = _segments(operation[field])
        if names[0] in _FIXED or any(names == partition.segments(key)[: len(names)] for key in keys):
            raise bad_request(
                f"The path '{operation[field]}' cannot be patched: it is the id, a partition key or "
                "a system property."
            )


def apply(document: dict[str, Any], body: Any, keys: Sequence[str]) -> dict[str, Any]:
    """The document after a patch. Raises CosmosError 400."""
    operations = body.get("operations") if isinstance(body, dict) else body
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise bad_request("The patch request body is invalid: it has no list of operations.")
    if not 1 <= len(operations) <= _MAXIMUM:
        raise bad_request(f"The number of patch operations must be 1 to {_MAXIMUM}, not {len(operations)}.")
    changed = copy.deepcopy(document)
    for operation in operations:
        _check_paths(operation, keys)
        _one(changed, operation)
    return changed
