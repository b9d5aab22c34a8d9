"""Names made up for resources that have none, as the official provider makes them."""

from __future__ import annotations

import random
import re
import uuid

from sandbox.types.armtype import ArmType

_HEX = 8


def style(row: ArmType) -> str:
    """`random` for resources of a group, `copy` for children, or what the row says."""
    return row.autoname or ("copy" if row.child or row.extension else "random")


def auto_name(row: ArmType, logical_name: str, seed: bytes) -> str:
    """A name from the logical name; the engine's seed makes it the same in preview and update."""
    chance = random.Random(seed or None)  # noqa: S311 - names are no secrets, and must be repeatable
    match style(row):
        case "copy":
            return logical_name
        case "uuid":
            return str(uuid.UUID(int=chance.getrandbits(128), version=4))
        case _:
            return f"{logical_name}{chance.getrandbits(4 * _HEX):0{_HEX}x}"


def is_auto(row: ArmType, logical_name: str, name: object) -> bool:
    """Whether a name is one that `auto_name` would make at random (so that another one is free)."""
    if not isinstance(name, str):
        return False
    match style(row):
        case "uuid":
            return (
                re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", name)
                is not None
            )
        case "random":
            return re.fullmatch(rf"{re.escape(logical_name)}[0-9a-f]{{{_HEX}}}", name) is not None
        case _:
            return False
