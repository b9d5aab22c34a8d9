"""What `pulumi up --refresh` says of data that is gone, read as a person would: what to write then."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_LOSS = re.compile(
    r"- (?P<kind>account|database) (?P<name>\S+) \((?P<identity>[^)\s]+)\) is gone"
    r"(?P<told>.*?)begin_empty:\s+- (?P=identity)",
    re.DOTALL,
)
#: An entry of `agents:restores`.
_ENTRY = re.compile(
    r'- as_of: "(?P<as_of>[^"]+)"\s+services: \[(?P<services>[a-z, ]+)\](?:\s+of: "(?P<of>[^"]+)")?'
)


@dataclass(frozen=True)
class Loss:
    """`identity` is what `agents:begin_empty` takes; `restore` is the entry of `agents:restores` that has it
    back, None where nothing is left of it.
    """

    kind: str
    name: str
    identity: str
    restore: dict[str, Any] | None


def losses(printed: str) -> list[Loss]:
    """Each once, in the order in which they are named."""
    found = {
        match["identity"]: Loss(match["kind"], match["name"], match["identity"], _restore(match["told"]))
        for match in _LOSS.finditer(printed)
    }
    return list(found.values())


def _restore(told: str) -> dict[str, Any] | None:
    match = _ENTRY.search(told)
    if match is None:
        return None
    entry = {"as_of": match["as_of"], "services": [one.strip() for one in match["services"].split(",")]}
    return {**entry, "of": match["of"]} if match["of"] else entry


def answer(printed: str) -> dict[str, list[Any]]:
    """The settings below `agents:` that have everything back that can be had, and give up the rest.

    Raises RuntimeError if nothing is said to be lost: it failed for another reason.
    """
    found = losses(printed)
    if not found:
        raise RuntimeError(f"pulumi up failed, and named nothing that was lost:\n{printed[-3000:]}")
    settings: dict[str, list[Any]] = {
        "restores": [one.restore for one in found if one.restore],
        "begin_empty": [one.identity for one in found if not one.restore],
    }
    return {key: value for key, value in settings.items() if value}
