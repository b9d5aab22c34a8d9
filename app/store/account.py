"""One scope's tokens of one UTC day, and the arithmetic of reserving and settling them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True)
class Reservation:
    """`expires` in seconds since the epoch: from then on nobody is taken to hold it."""

    tokens: int
    expires: float


@dataclass
class Account:
    """`committed` only grows. `writers` has the number of each process's last write of this account."""

    committed: int = 0
    reservations: dict[str, Reservation] = field(default_factory=dict)
    writers: dict[str, int] = field(default_factory=dict)

    @property
    def reserved(self) -> int:
        return sum(one.tokens for one in self.reservations.values())

    @property
    def used(self) -> int:
        return self.committed + self.reserved

    def sweep(self, now: float) -> bool:
        """Drop what has expired: its holder is dead. Whether there was any."""
        expired = [name for name, one in self.reservations.items() if one.expires <= now]
        for name in expired:
            del self.reservations[name]
        return bool(expired)

    def fits(self, tokens: int, limit: int) -> bool:
        return self.used + tokens <= limit

    def settle(self, name: str, tokens: int) -> None:
        """Count what a reservation's holder used, also when it has expired meanwhile."""
        self.reservations.pop(name, None)
        self.committed += tokens


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def end_of(day: date) -> datetime:
    """The UTC midnight at which the next day's tokens begin."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)
