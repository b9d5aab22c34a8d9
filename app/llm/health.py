"""How a provider is: whether it can be reached, and what its breaker thinks of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.llm.breaker import State
from app.llm.failures import Kind, LLMError
from app.llm.lane import Lane

# Less than the whole health report may take, so that one provider that hangs does not hide the others.
_TIMEOUT_SECONDS = 3


@dataclass(frozen=True)
class ProviderReport:
    """`error` says why it cannot be reached; `skipped`: an operator has taken it out."""

    name: str
    model: str
    breaker: State
    skipped: bool
    error: LLMError | None

    @property
    def usable(self) -> bool:
        return self.error is None and not self.skipped


def why_unusable(reports: Sequence[ProviderReport]) -> LLMError | None:
    """What stands in the way of the first provider that should answer; None while any provider can."""
    if any(found.usable for found in reports):
        return None
    return next(found.error for found in reports if not found.skipped)


async def report(lane: Lane, *, skipped: bool) -> ProviderReport:
    """Asks for something that costs no tokens."""
    error: LLMError | None = None
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await lane.provider.check()
    except TimeoutError:
        error = LLMError(lane.name, f"no answer within {_TIMEOUT_SECONDS} s", Kind.TIMEOUT)
    except LLMError as failure:
        error = failure
    return ProviderReport(lane.name, lane.provider.model, lane.breaker.state, skipped, error)
