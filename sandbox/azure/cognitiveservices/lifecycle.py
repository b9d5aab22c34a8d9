"""How far a model's version is in its life: open to all, closed to who never had it, or retired.

https://learn.microsoft.com/azure/foundry/openai/concepts/model-retirements says what the stages mean, and
…/model-retirement-schedule when they begin. The catalogue is that of one day: a sandbox that refuses a model
from a day on would fail without anything having changed. The dates are told, so the pre-flight counts from
the real day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

#: The day whose stages the sandbox keeps to. The schedule is that of its page of 2 September 2026, gpt-4o
#: 2024-05-13 that of the lifecycle page of 5 October.
CATALOGUE_DAY = date(2026, 11, 28)


class Stage(StrEnum):
    """As the models API calls them. What the documentation calls deprecated is `Deprecating` there."""

    AVAILABLE = "GenerallyAvailable"
    LEGACY = "Legacy"
    CLOSED = "Deprecating"
    RETIRED = "Deprecated"


@dataclass(frozen=True)
class Version:
    """`closed`: the day from which only those may deploy it who have; `ends`: from which nothing answers.

    `legacy`: there are newer models, and it may still be had.
    """

    name: str
    ends: date
    closed: date | None = None
    legacy: bool = False

    @property
    def stage(self) -> Stage:
        if self.ends <= CATALOGUE_DAY:
            return Stage.RETIRED
        if self.closed is not None and self.closed <= CATALOGUE_DAY:
            return Stage.CLOSED
        return Stage.LEGACY if self.legacy else Stage.AVAILABLE


def version(name: str, *, ends: str, closed: str | None = None, legacy: bool = False) -> Version:
    return Version(name, date.fromisoformat(ends), date.fromisoformat(closed) if closed else None, legacy)
