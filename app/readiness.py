"""Whether this process should be sent requests, and if not, why."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

#: Says why the process cannot take requests; None when it can. Asked every few seconds: it must not wait.
Condition = Callable[[], str | None]
DRAINING = "draining"


class Readiness:
    """Off while the process leaves, and while a condition of its own says so.

    A dependency's outage is no condition: every replica has the same dependencies, so all of them would be
    taken away at once, and with them the answers that need no dependency and those that say what is wrong.
    """

    def __init__(
        self, conditions: Sequence[Condition] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._conditions, self._clock = conditions, clock
        self._left_since: float | None = None

    @property
    def draining(self) -> bool:
        return self._left_since is not None

    def drain(self) -> None:
        """The process is about to end. Again, it changes nothing."""
        if self._left_since is None:
            self._left_since = self._clock()

    def drained_for(self, seconds: float) -> bool:
        """Whether it began to leave at least `seconds` ago."""
        return self._left_since is not None and self._clock() - self._left_since >= seconds

    def reason(self) -> str | None:
        if self.draining:
            return DRAINING
        return next(filter(None, (condition() for condition in self._conditions)), None)
