"""What happened when: UTC for people, a clock that nobody sets for differences."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel


class Step(BaseModel):
    """`offset` is seconds since the drill began; `seconds` how long it took, None of what is a moment."""

    at: AwareDatetime
    offset: float
    what: str
    seconds: float | None = None


class Timeline:
    """Moments are the monotonic clock's, shown in UTC by how they lie to the drill's beginning."""

    def __init__(self) -> None:
        self.began = datetime.now(UTC)
        self._zero = time.monotonic()
        self._steps: list[Step] = []

    @property
    def steps(self) -> list[Step]:
        """In the order in which they began."""
        return sorted(self._steps, key=lambda step: step.offset)

    def now(self) -> datetime:
        return self.began + timedelta(seconds=time.monotonic() - self._zero)

    def mark(self, what: str, at: datetime | None = None) -> datetime:
        """A moment, now or an earlier one of this timeline."""
        at = at or self.now()
        self._steps.append(Step(at=at, offset=(at - self.began).total_seconds(), what=what))
        return at

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Something that takes time, also when it fails."""
        began = self.now()
        try:
            yield
        finally:
            took = (self.now() - began).total_seconds()
            offset = (began - self.began).total_seconds()
            self._steps.append(Step(at=began, offset=offset, what=what, seconds=took))
