"""The resource group is deleted, and with it everything that an environment is."""

from __future__ import annotations

import time

from drills import bounds, refusals
from drills.cut import RowsLost
from drills.drill import Drill, Outcome, Scene
from drills.leftovers import remove_copies
from drills.refusals import Loss
from drills.stack import CLUSTER_IS_GONE, Stack
from drills.watch import Watch

_LOAD_SECONDS = 6
_SETTLE_SECONDS = 120
#: Restores are to the second, so nothing is written in the last one: point-in-time is about that.
_QUIET_SECONDS = 3
#: Seconds that Azure may take to delete everything.
_DELETE_SECONDS = 1200.0


class GroupDeleted(Drill):
    """Executions must all be there. Rows of the history are only as far as long-term backups have them: the
    backups for points in time went with their server, as on Azure.
    """

    name = "group-deleted"
    broken = "The resource group is deleted, with all that is in it."
    restored_by = (
        "`PULUMI_K8S_DELETE_UNREACHABLE=true pulumi up --refresh`, which refuses; the settings that it "
        "names, the same again, and `pulumi up` for the vault"
    )
    rto = 480.0
    azure = (bounds.COSMOS_RESTORE, bounds.SQL_RESTORE, bounds.VAULT, bounds.CLUSTER)

    def play(self, scene: Scene) -> Outcome:
        now, stack = scene.timeline.now, scene.stack
        with scene.writers:
            time.sleep(_LOAD_SECONDS)
        time.sleep(_QUIET_SECONDS)
        failed = now()
        group = stack.names.resource_group
        with scene.timeline.step(f"az group delete -n {group}"):
            scene.shell.run("az", "group", "delete", "-n", group, "--yes", timeout=_DELETE_SECONDS)
        if scene.shell.az("group", "exists", "-n", group) or scene.serves():
            raise RuntimeError(f"{group} is there, or its agents answer: nothing was broken")
        refused = stack.up("--refresh", variables=CLUSTER_IS_GONE, check=False)
        if refused.code == 0:
            raise RuntimeError("data was deleted, and pulumi up began empty instead of refusing to")
        said = refused.out + refused.err
        settings = stack.settings(**refusals.answer(said))
        first = scene.writers.sentinels[0]
        with Watch(lambda: scene.agents.reads(first.agent, first.id), now) as watch:
            stack.up("--refresh", settings=settings, variables=CLUSTER_IS_GONE)
            operational = watch.wait(_SETTLE_SECONDS)
        # A recovered vault takes nothing else that is asked. And without the variable, which the state keeps.
        stack.up(settings=settings)
        stack.sign_in()
        baseline = scene.books()
        with scene.writers:
            time.sleep(_LOAD_SECONDS)
        lost = rows_lost(refusals.losses(said))
        return Outcome(
            failed,
            operational,
            settings=settings,
            rows_lost=None if lost is None else RowsLost((scene.timeline.began, failed), lost),
            baseline=baseline,
        )

    def clean(self, stack: Stack) -> None:
        remove_copies(stack)


def rows_lost(losses: list[Loss]) -> str | None:
    """Why rows of the history are missing, as the report has it; None where there is no reason."""
    database = next((one for one in losses if one.kind == "database"), None)
    if database is None:
        return None
    if database.restore is None:
        return (
            f"{database.name} went with its server, which had its backups for points in time, and there is "
            "no long-term backup (`sql.long_term`): the history began empty. Executions are in Cosmos DB"
        )
    return (
        f"{database.name} went with its server, which had its backups for points in time: the history is the "
        f"long-term backup of {database.restore['as_of']}, and what came later is lost. Executions are in "
        "Cosmos DB"
    )
