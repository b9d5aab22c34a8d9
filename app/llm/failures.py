"""How calls of a model fail, and which failures another provider may mend.

Fails over: too many requests, the provider's own errors, timeouts, connections refused or broken, answers
that are no chat completions. Does not: what every provider would refuse alike (400, content filter) or what
must be seen and repaired (401, 403, 404).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from app.dependency import DependencyError


class Kind(StrEnum):
    """What went wrong; the value is the label in metrics and traces."""

    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    #: Nothing was sent: refused, no route, no such name, no TLS.
    UNREACHABLE = "unreachable"
    #: Broken off after the request was sent.
    RESET = "reset"
    #: A success that is no chat completion.
    MALFORMED = "malformed"
    REFUSED = "refused"
    CONTENT_FILTER = "content_filter"
    #: An answer that does not fit the prompt's output schema.
    INVALID_OUTPUT = "invalid_output"


_FAILS_OVER = {
    Kind.THROTTLED,
    Kind.SERVER_ERROR,
    Kind.TIMEOUT,
    Kind.UNREACHABLE,
    Kind.RESET,
    Kind.MALFORMED,
}
_MAY_HAVE_COST = {Kind.TIMEOUT, Kind.RESET, Kind.MALFORMED}


class LLMError(DependencyError):
    """A provider did not answer usefully.

    `status` is its HTTP status, None when it gave none; `retry_after` seconds, if it asked for a pause.
    """

    def __init__(
        self,
        provider: str,
        message: str,
        kind: Kind,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status)
        self.provider, self.kind, self.retry_after = provider, kind, retry_after

    @property
    def fails_over(self) -> bool:
        return self.kind in _FAILS_OVER

    @property
    def blames_input(self) -> bool:
        """What was asked is at fault: no other attempt would mend it."""
        return self.kind is Kind.CONTENT_FILTER or (self.kind is Kind.REFUSED and self.status == 400)

    @property
    def may_have_cost(self) -> bool:
        """The provider may have worked for it, and nobody knows how much."""
        return self.kind in _MAY_HAVE_COST


class RouteError(DependencyError):
    """No provider answered; `failures` are what each attempt ended in, in order."""

    def __init__(self, message: str, failures: Sequence[LLMError]) -> None:
        tried = "; ".join(f"{failure.provider}: {failure}" for failure in failures)
        super().__init__(f"{message} ({tried})" if tried else message)
        self.failures = tuple(failures)


class ExhaustedError(RouteError):
    """Every provider failed or must not be asked yet; `retry_after` seconds until the first may be."""

    def __init__(self, failures: Sequence[LLMError], retry_after: float) -> None:
        super().__init__("no model provider can answer now", failures)
        self.retry_after = retry_after


class DeadlineError(RouteError):
    """The time that the caller gave ran out."""

    def __init__(self, failures: Sequence[LLMError]) -> None:
        super().__init__("the time for this request ran out before a model answered", failures)


class SkipError(ValueError):
    """A request passes over providers that are not there, or over all that are."""
