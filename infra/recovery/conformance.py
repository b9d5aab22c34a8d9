"""Whether a restored account or database is fit to be used: like the original in all that a restore does not
bring, and in any case closed to keys and passwords.

Pure: facts in, deviations out. The program asks before agents follow (`infra/azure/conforming.py`), people
with `python -m infra.recovery --stack prod`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from infra.recovery.facts import Facts

Kind = Literal["account", "database"]
#: What must hold whatever the original is like: an original that somebody opened is no measure.
_ALWAYS: dict[Kind, Facts] = {
    "account": {"provisioningState": "Succeeded", "disableLocalAuth": True},
    "database": {"usable": True, "encryption at rest": "Enabled", "server: Entra ID only": True},
}


@dataclass(frozen=True)
class Deviation:
    """`fact` of the copy is `found`, and would have to be `expected`."""

    copy: str
    fact: str
    expected: Any
    found: Any


def deviations(kind: Kind, copy: str, original: Facts, restored: Facts) -> list[Deviation]:
    """`copy` is what a person calls the restored one."""
    expected = original | _ALWAYS[kind]
    return [
        Deviation(copy, name, expected.get(name), restored.get(name))
        for name in sorted(expected.keys() | restored.keys())
        if expected.get(name) != restored.get(name)
    ]


def table(found: Sequence[Deviation]) -> Iterator[str]:
    """Lines for a terminal."""
    heads = ("COPY", "WHAT", "EXPECTED", "FOUND")
    rows = [heads, *((one.copy, one.fact, _shown(one.expected), _shown(one.found)) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])


def _shown(value: Any) -> str:
    return "not there" if value is None else str(value)
