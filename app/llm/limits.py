"""Bounds on what the router adds to a provider's load."""

from __future__ import annotations


class RetryBudget:
    """Retries as a share of calls, so that an outage is not answered with a multiple of the traffic.

    Every call earns a share of a retry, up to `burst` saved ones; a retry spends a whole one.
    """

    def __init__(self, share: float, burst: float) -> None:
        self._share, self._burst = share, burst
        self._saved = burst

    def earn(self) -> None:
        self._saved = min(self._burst, self._saved + self._share)

    def spend(self) -> bool:
        """Whether a retry may be made; it is then counted."""
        # Shares such as 0.1 add up to just below a whole.
        if self._saved < 1 - 1e-9:
            return False
        self._saved -= 1
        return True


class Places:
    """How many calls of a provider may be under way at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    @property
    def full(self) -> bool:
        return self.taken >= self._most

    def take(self) -> None:
        self.taken += 1

    def leave(self) -> None:
        self.taken -= 1
