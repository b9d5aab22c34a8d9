"""A drill, and the scene that it plays on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from app.audit import Books
from drills.agents import Agents
from drills.books import read_books
from drills.content import Behind, Restored
from drills.cut import RowsLost
from drills.exposure import Survey
from drills.journal import Sentinel
from drills.report import Bound, Check
from drills.shell import Shell
from drills.stack import Stack
from drills.timeline import Timeline
from drills.writing import Writers, incident


@dataclass
class Scene:
    """`before` and `surveyed` are of the moment before anything was broken."""

    run: str
    shell: Shell
    stack: Stack
    timeline: Timeline
    agents: Agents
    writers: Writers
    before: Books
    surveyed: Survey
    faults: frozenset[str] = frozenset()

    def serves(self) -> bool:
        """Whether an execution is acknowledged now; it is a sentinel like any other."""
        return self.writers.one().acknowledged is not None

    def incidents(self, count: int) -> list[Sentinel]:
        """Sentinels that other agents act upon. Raises RuntimeError if the platform takes none."""
        found = [self.writers.one(incident) for _ in range(count)]
        if failed := [one.failure for one in found if one.failure]:
            raise RuntimeError(f"an incident was not taken, before anything was broken: {failed[0]}")
        return found

    def books(self) -> Books:
        days = {self.timeline.began.date(), self.timeline.now().date()}
        return read_books(self.shell, self.stack.names.namespace, self.run, sorted(days))


@dataclass(frozen=True)
class Outcome:
    """`failed` is when it was broken, `operational` when the first caller was served again as before.

    `settings` are those with which the stack now is as declared; None: its own. `restored` is None where
    nothing may be missing. `checks` are of what this drill alone looks at. `rows_lost` is what of the history
    cannot be there; `baseline` are the books that the ledger is held to from then on.
    """

    failed: datetime
    operational: datetime
    restored: Restored | Behind | None = None
    settings: Path | None = None
    checks: Sequence[Check] = ()
    rows_lost: RowsLost | None = None
    baseline: Books | None = None


class Drill(ABC):
    """`broken` and `restored_by` are a sentence and a command; targets are seconds in the sandbox."""

    name: ClassVar[str]
    broken: ClassVar[str]
    restored_by: ClassVar[str]
    rto: ClassVar[float | None]
    rpo: ClassVar[float | None] = 0.0
    azure: ClassVar[Sequence[Bound]]
    #: Faults of its own that can be made on purpose, by the check that must see each.
    sabotages: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @abstractmethod
    def play(self, scene: Scene) -> Outcome:
        """Break it, restore it by the documented command, and return when callers are served."""

    def clean(self, stack: Stack) -> None:  # noqa: B027 - most leave nothing
        """Take away what an earlier run may have left beside the stack, which is as declared again."""
