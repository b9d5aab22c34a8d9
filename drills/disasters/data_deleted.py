"""Data is deleted with what holds it: an account, or a database.

`pulumi up --refresh` refuses to begin empty, and names the settings that have the data back. They are taken
from what it prints, as a person would.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence

from drills import bounds, refusals
from drills.drill import Drill, Outcome, Scene
from drills.leftovers import remove_copies
from drills.stack import Stack
from drills.watch import Watch

_LOAD_SECONDS = 6
_SETTLE_SECONDS = 60
#: Restores are to the second, so nothing is written in the last one: point-in-time is about that.
_QUIET_SECONDS = 3


class DataDeleted(Drill):
    """`gone` is what is deleted, as `az` has it."""

    restored_by = (
        "`pulumi up --refresh`, which refuses; the settings that it names, and `pulumi up --refresh`"
    )
    rto = 240.0

    @abstractmethod
    def gone(self, stack: Stack) -> Sequence[str]:
        """The command that deletes it."""

    def play(self, scene: Scene) -> Outcome:
        now, stack = scene.timeline.now, scene.stack
        with scene.writers:
            time.sleep(_LOAD_SECONDS)
        time.sleep(_QUIET_SECONDS)
        failed = now()
        with scene.timeline.step(" ".join(self.gone(stack))):
            scene.shell.run(*self.gone(stack), "--yes", timeout=600)
        refused = stack.up("--refresh", check=False)
        if refused.code == 0:
            raise RuntimeError("data was deleted, and pulumi up began empty instead of refusing to")
        wanted = refusals.answer(refused.out + refused.err)
        if set(wanted) != {"restores"}:
            raise RuntimeError(f"only what was deleted can be had back, and is: {wanted}")
        settings = stack.settings(**wanted)
        first = scene.writers.sentinels[0]
        with Watch(lambda: scene.agents.reads(first.agent, first.id), now) as watch:
            stack.up("--refresh", settings=settings)
            operational = watch.wait(_SETTLE_SECONDS)
        with scene.writers:
            time.sleep(_LOAD_SECONDS)
        return Outcome(failed, operational, settings=settings)

    def clean(self, stack: Stack) -> None:
        remove_copies(stack)


class AccountDeleted(DataDeleted):
    name = "account-deleted"
    broken = "The Cosmos DB account is deleted."
    azure = (bounds.COSMOS_RESTORE,)

    def gone(self, stack: Stack) -> Sequence[str]:
        names = stack.names
        return ("az", "cosmosdb", "delete", "-g", names.resource_group, "-n", names.cosmos)


class DatabaseDeleted(DataDeleted):
    name = "database-deleted"
    broken = "The SQL database is deleted."
    azure = (bounds.SQL_RESTORE,)

    def gone(self, stack: Stack) -> Sequence[str]:
        names = stack.names
        return ("az", "sql", "db", "delete", "-g", names.resource_group, "-s", names.sql, "-n", "AgentsDB")
