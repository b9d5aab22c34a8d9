"""What the router wants of a token budget: a reservation before every call, settled after it.

A call that certainly cost nothing (throttled, failed, never reached) is released; one whose answer was lost
(a timeout, a reset) may have been paid for, so all of its reservation is committed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class OverBudget(Exception):  # noqa: N818 - how it is spoken of
    """A reservation would exceed a budget. `scope` is an agent's name or "total"; `resets_at` is in UTC."""

    def __init__(self, scope: str, limit: int, used: int, resets_at: datetime) -> None:
        super().__init__(f"the token budget of {scope} is used up: {used} of {limit}")
        self.scope, self.limit, self.used, self.resets_at = scope, limit, used, resets_at


class Booking(Protocol):
    """Tokens put aside for one call."""

    async def commit(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count these as used and give back the rest. Raises DependencyError."""

    async def release(self) -> None:
        """Give back all of it. Raises DependencyError."""


class Meter(Protocol):
    async def reserve(self, tokens: int) -> Booking:
        """Put tokens aside. Raises OverBudget, or DependencyError when the ledger cannot be reached."""


class Unmetered:
    """No budget: everything is granted and nothing counted."""

    async def reserve(self, tokens: int) -> Booking:  # noqa: ARG002
        return _Nothing()


class _Nothing:
    async def commit(self, prompt_tokens: int, completion_tokens: int) -> None: ...

    async def release(self) -> None: ...
