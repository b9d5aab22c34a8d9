"""The worker: what is new is copied, then copies are compared with their originals, again and again.

Nothing is remembered between passes but what metrics show: what has to be copied is what is not among the
copies, so it can be killed at any moment.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from azure.core.exceptions import AzureError

from app.background import rest
from app.backup import metrics
from app.backup.format import CorruptError
from app.backup.restorable import Restorable
from app.dependency import DependencyError, from_azure

log = logging.getLogger(__name__)


class Kind(Protocol):
    """One kind of data that is copied; see `SecretCopies` and `LetterCopies`."""

    name: str

    async def copy(self) -> int: ...

    async def validate(self) -> None: ...


class Worker:
    """`clock` tells seconds since the epoch."""

    def __init__(
        self, kinds: Sequence[Kind], others: Sequence[Restorable], clock: Callable[[], float] = time.time
    ) -> None:
        self._kinds, self._others, self._clock = kinds, others, clock
        for name in (*(kind.name for kind in kinds), *(other.name for other in others)):
            # A rate needs to see the first failure as a rise.
            metrics.FAILURES.labels(name)

    async def run(self, interval: float, stopping: asyncio.Event) -> None:
        """Passes, an interval apart, until it is time to stop; one that is under way is cut off."""
        while not stopping.is_set():
            await self.once()
            await rest(interval, stopping)

    async def once(self) -> bool:
        """One pass over everything; what fails keeps nothing else from being done. Whether all went well."""
        done = [await self._copied(kind) and await self._validated(kind) for kind in self._kinds]
        done += [await self._asked(other) for other in self._others]
        return all(done)

    async def _copied(self, kind: Kind) -> bool:
        began = self._clock()
        async with _trying(kind.name, "cannot copy") as outcome:
            made = await kind.copy()
            metrics.COPIES.labels(kind.name).inc(made)
            metrics.NEWEST.labels(kind.name).set(began)
        return outcome.good

    async def _validated(self, kind: Kind) -> bool:
        async with _trying(kind.name, "copies are not like their originals") as outcome:
            await kind.validate()
            metrics.VALIDATED.labels(kind.name).set(self._clock())
        return outcome.good

    async def _asked(self, other: Restorable) -> bool:
        async with _trying(other.name, "cannot tell how old the backup is") as outcome:
            newest = await other.newest()  # first: a label that is looked at is shown, as 1970
            metrics.NEWEST.labels(other.name).set(newest)
        return outcome.good


@dataclass
class _Outcome:
    good: bool = True


@asynccontextmanager
async def _trying(name: str, what: str) -> AsyncIterator[_Outcome]:
    """What goes wrong inside is counted and logged, and ends nothing else: a defect with its traceback."""
    outcome = _Outcome()
    try:
        yield outcome
    except AzureError as error:
        outcome.good = False
        log.error("%s: %s: %s", name, what, from_azure(error))  # noqa: TRY400 - the message says it all
    except (DependencyError, CorruptError) as error:
        outcome.good = False
        log.error("%s: %s: %s", name, what, error)  # noqa: TRY400 - likewise
    except Exception:
        outcome.good = False
        log.exception("%s: %s", name, what)
    if not outcome.good:
        metrics.FAILURES.labels(name).inc()
