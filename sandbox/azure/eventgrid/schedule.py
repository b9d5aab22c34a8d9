"""When a delivery is tried again, and when it never is.

Source: https://learn.microsoft.com/azure/event-grid/delivery-and-retry. Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

#: Pauses after the first, second, … failed attempt; the last one repeats.
PAUSES = (10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
#: Azure adds "a small randomization": at most this part of a pause.
JITTER = 0.1
#: How long a destination may take to answer.
RESPONSE = 30
#: From the last attempt until the event is written to the dead-letter container, and how long that is tried.
LETTER_DELAY, LETTER_PATIENCE = 300, 4 * 3600
#: Between two tries to write dead letters.
LETTER_PAUSE = 60

_DELIVERED = range(200, 205)
_NEVER_RETRIED = {400, 403, 413}
#: Shortest pauses by status; the first three are documented for Azure resources.
_SHORTEST = {401: 300, 404: 300, 408: 120, 503: 30}
_NAMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "TimedOut",
    413: "PayloadTooLarge",
    429: "Busy",
    503: "Busy",
}


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended. `name` is what dead letters show as lastDeliveryOutcome."""

    name: str
    delivered: bool = False
    #: Set when there will be no other attempt: the reason that dead letters show.
    final: str | None = None
    shortest: float = PAUSES[0]


#: No answer in time, no connection, no such host.
TIMED_OUT = Outcome("TimedOut")
SOCKET_ERROR = Outcome("SocketError", shortest=30)
RESOLUTION_ERROR = Outcome("ResolutionError", shortest=300)


def outcome(status: int, *, webhook: bool) -> Outcome:
    """What a destination's answer means."""
    if status in _DELIVERED:
        return Outcome("Delivered", delivered=True)
    name = _NAMES.get(status) or _http_name(status)
    if status in _NEVER_RETRIED or (webhook and status == HTTPStatus.UNAUTHORIZED):
        return Outcome(name, final=f"UndeliverableDueToHttp{_http_name(status)}")
    shortest = PAUSES[0] if webhook and status == HTTPStatus.NOT_FOUND else _SHORTEST.get(status, PAUSES[0])
    return Outcome(name, shortest=shortest)


def pause(attempts: int, shortest: float, jitter: float) -> float:
    """Seconds from a failed attempt, the `attempts`-th, to the next; `jitter` lies between 0 and 1."""
    regular = PAUSES[min(attempts, len(PAUSES)) - 1]
    return max(regular, shortest) * (1 + JITTER * jitter)


def _http_name(status: int) -> str:
    """`413` -> `RequestEntityTooLarge`; the code itself where HTTP has no name for it."""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "RequestEntityTooLarge"
    try:
        return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")
    except ValueError:
        return str(status)
