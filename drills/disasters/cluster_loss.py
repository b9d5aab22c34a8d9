"""The cluster is deleted while it works; it holds no data, so it is made anew."""

from __future__ import annotations

import time

from drills import bounds
from drills.drill import Drill, Outcome, Scene
from drills.stack import CLUSTER_IS_GONE, Stack
from drills.watch import Watch

_LOAD_SECONDS = 5
#: Seconds that Azure may take to delete it, and after `pulumi up` names and routes to settle.
_DELETE_SECONDS, _SETTLE_SECONDS = 300, 60


class ClusterLoss(Drill):
    """It is out of order from the first request on that nobody answers."""

    name = "cluster-loss"
    broken = "The cluster is deleted under load, with incidents under way."
    restored_by = "`PULUMI_K8S_DELETE_UNREACHABLE=true pulumi up --refresh`, then `pulumi up`"
    rto = 120.0
    azure = (bounds.CLUSTER,)

    def play(self, scene: Scene) -> Outcome:
        now, stack = scene.timeline.now, scene.stack
        with scene.writers:
            time.sleep(_LOAD_SECONDS)
            scene.incidents(1)
            began = now()
            with scene.timeline.step(f"az aks delete -n {stack.names.cluster}"):
                where = ("-g", stack.names.resource_group, "-n", stack.names.cluster)
                scene.shell.run("az", "aks", "delete", *where, "--yes", "--no-wait")
                with Watch(lambda: is_gone(stack), now) as deleted:
                    deleted.wait(_DELETE_SECONDS)
            failed = scene.writers.unanswered_since(began)
            if failed is None or scene.serves():
                raise RuntimeError("the agents answer although their cluster is gone: nothing was broken")
            with Watch(scene.serves, now) as watch:
                stack.up("--refresh", variables=CLUSTER_IS_GONE)
                operational = watch.wait(_SETTLE_SECONDS)
            # The provider keeps the variable in the state until it is run without.
            stack.up()
            time.sleep(_LOAD_SECONDS)
        return Outcome(failed, operational)


def is_gone(stack: Stack) -> bool:
    """Whether Azure has no cluster of the stack's any more."""
    return not stack.shell.az("aks", "list", "--query", f"[?name=='{stack.names.cluster}']")
