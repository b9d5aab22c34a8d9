"""What several providers check in bodies: references, ISO 8601 durations, unique words for host names."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.resource import Resource, ResourceId
from sandbox.services import Store

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def require(store: Store, reference: Any, target: str, type_name: str | None = None) -> Resource:
    """The resource that an id in a body names. Raises ArmError 400 when it does not exist or is of another
    type; `target` is the path of the id."""
    found = store.get(str(reference)) if isinstance(reference, str) and reference.startswith("/") else None
    if found is None:
        raise bad_request("BadRequest", f"The resource '{reference}' does not exist.", target)
    if type_name is not None and found.id.type.lower() != type_name.lower():
        raise bad_request(
            "BadRequest", f"The resource '{reference}' is a {found.id.type}, not a {type_name}.", target
        )
    return found


def duration(text: Any, target: str) -> timedelta:
    """An ISO 8601 duration of days, hours, minutes and seconds. Raises ArmError 400."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        raise bad_request("BadRequest", f"'{text}' is no ISO 8601 duration such as PT5M.", target)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def one_of(value: Any, allowed: tuple[Any, ...], target: str) -> None:
    """Raises ArmError 400 that lists what is allowed."""
    if value not in allowed:
        listed = ", ".join(map(str, allowed))
        raise bad_request("BadRequest", f"'{value}' is not allowed; it must be one of {listed}.", target)


def word(id: ResourceId, length: int) -> str:  # noqa: A002
    """Letters and digits that belong to a resource for ever, as Azure puts them into host names."""
    return hashlib.sha256(id.key.encode()).hexdigest()[:length]
