"""Partition key values: out of a document, out of a request header, and one text for each.

A value is a list with one component per path; a component that a document lacks is `{}`. The text is
canonical JSON, so that equal keys have equal texts (1 and 1.0 are one key).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from sandbox.azure.documentdb.errors import CosmosError

UNDEFINED: dict[str, Any] = {}
_SEGMENT = re.compile(r'"([^"]+)"|([^/]+)')


def segments(path: str) -> list[str]:
    """`/a/"b c"` as names."""
    return [quoted or plain for quoted, plain in _SEGMENT.findall(path)]


def value_at(document: Any, path: str) -> Any:
    """What a document holds at a path; UNDEFINED when there is nothing."""
    for name in segments(path):
        if not isinstance(document, dict) or name not in document:
            return UNDEFINED
        document = document[name]
    return document


def _component(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def text(components: Sequence[Any]) -> str:
    return json.dumps([_component(value) for value in components], separators=(",", ":"), ensure_ascii=False)


def of_document(document: dict[str, Any], paths: Sequence[str]) -> str:
    """The key of a document. Objects and arrays cannot be keys."""
    components = [value_at(document, path) for path in paths]
    for path, component in zip(paths, components, strict=True):
        if isinstance(component, list) or (isinstance(component, dict) and component is not UNDEFINED):
            raise CosmosError(
                400,
                "BadRequest",
                f"The partition key at '{path}' must be a string, a number, a boolean or null.",
                substatus=1001,
            )
    return text(components)


def of_header(header: str | None, paths: Sequence[str], *, prefix: bool = False) -> str | None:
    """The key a request names; None for none. Queries may name a prefix of a hierarchical key."""
    if header is None:
        return None
    try:
        components = json.loads(header)
    except ValueError:
        components = None
    if not isinstance(components, list):
        raise CosmosError(400, "BadRequest", f"Partition key {header} is invalid: a JSON array is expected.")
    if components == []:
        components = [UNDEFINED] * len(paths)
    if len(components) != len(paths) and not (prefix and len(components) < len(paths)):
        raise CosmosError(
            400,
            "BadRequest",
            "Partition key provided either doesn't correspond to definition in the collection or doesn't "
            "match partition key field values specified in the document.",
            substatus=1001,
        )
    return text(components)


def starts_with(key: str, prefix: str) -> bool:
    """Whether a key's first components are those of `prefix`."""
    components, first = json.loads(key), json.loads(prefix)
    return bool(components[: len(first)] == first)


def effective(key: str, paths: Sequence[str], kind: str, version: int) -> str:
    """The hash by which Azure orders keys: clients address ranges of it (feed ranges)."""
    # The client library is slow to import, and few requests need its hash.
    from azure.cosmos.partition_key import PartitionKey, _Undefined  # noqa: PLC0415

    definition = (
        PartitionKey(path=paths[0], kind="Hash", version=version)
        if kind == "Hash"
        else PartitionKey(path=list(paths), kind="MultiHash", version=version)
    )
    components = [_Undefined() if value == UNDEFINED else value for value in json.loads(key)]
    return str(definition._get_effective_partition_key_string(components))  # noqa: SLF001
