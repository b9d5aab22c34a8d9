"""What differs between two documents, value by value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.review.plan import MISSING


@dataclass(frozen=True)
class Difference:
    """`before` and `after` are MISSING where there is no value."""

    path: str
    before: Any
    after: Any


def differences(before: Any, after: Any) -> list[Difference]:
    """Of mappings key by key; lists are compared as wholes."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return [
        Difference(path, old.get(path, MISSING), new.get(path, MISSING))
        for path in sorted(old.keys() | new.keys())
        if old.get(path, MISSING) != new.get(path, MISSING)
    ]


def _leaves(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{above}.{key}" if above else str(key))
    elif above:
        yield above, value
