"""The operations of the matrix: each asks one plane for one thing as one identity, and reads the answer.

An operation is harmless where it is allowed: it reads, or it writes what goes away by itself, or it lacks
what comes to be looked at after the caller's rights only (that the same request is refused to those without
the right shows the order).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from tests.live.privileges.world import World

ALLOWED, REFUSED = "yes", "no"
#: (world, identity) -> ALLOWED, REFUSED, or what was answered instead of either.
Ask = Callable[[World, str], Awaitable[str]]
AskT = TypeVar("AskT", bound=Ask)


@dataclass(frozen=True)
class Operation:
    """`name` begins with its plane: `vault.get`."""

    name: str
    title: str
    ask: Ask

    @property
    def plane(self) -> str:
        return self.name.partition(".")[0]


OPERATIONS: dict[str, Operation] = {}


def register(name: str, title: str, ask: Ask) -> None:
    if name in OPERATIONS:
        raise ValueError(f"there are two operations '{name}'")
    OPERATIONS[name] = Operation(name, title, ask)


def operation(name: str, title: str) -> Callable[[AskT], AskT]:
    def remember(ask: AskT) -> AskT:
        register(name, title, ask)
        return ask

    return remember


def verdict(answer: httpx.Response, refused: int, saying: str) -> str:
    """A refusal has this status and says this, so that no other failure is taken for one. `429` and the
    statuses from 500 on are neither."""
    if answer.status_code == refused and saying in answer.text:
        return REFUSED
    if answer.status_code in {401, 403, 405, 429} or answer.status_code >= 500:
        return f"{answer.status_code}: {answer.text[:200]}"
    return ALLOWED
