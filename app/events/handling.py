"""What an agent does with an event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.events.event import Event

#: Does what the event asks for; called again when it raises, unless that is UnprocessableError.
Handler = Callable[[Event], Awaitable[None]]


class UnprocessableError(ValueError):
    """No attempt will ever process this event; the message says why."""
