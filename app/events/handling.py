"""What an agent does with an event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.events.event import Event

#: Does what the event asks for. It is called again when it raises: UnprocessableError never, DependencyError
#: when what is away is back, anything else a few times.
Handler = Callable[[Event], Awaitable[None]]


class AttemptError(Exception):
    """This attempt failed by itself, with nothing away: another may succeed, so they are counted."""


class UnprocessableError(ValueError):
    """No attempt will ever process this event; the message says why."""
