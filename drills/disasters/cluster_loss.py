"""The cluster is deleted while it works; it holds no data, so it is made anew."""

from __future__ import annotations

import time

from drills import bounds
from drills.drill import Drill, Outcome, Scene
from drills.stack import CLUSTER_IS_GONE
from drills.watch import Watch

_LOAD_SECONDS = 5
#: Seconds after `pulumi up` in which names and routes settle.
_SETTLE_SECONDS = 60


class ClusterLoss(Drill):
    name = "cluster-loss"
    broken = "The cluster is deleted under load, with incidents under way."
    restored_by = "`PULUMI_K8S_DELETE_UNREACHABLE=true pulumi up -s dev --refresh`"
    rto = 120.0
    azure = (bounds.CLUSTER,)

    def play(self, scene: Scene) -> Outcome:
        now, names = scene.timeline.now, scene.stack.names
        with scene.writers:
            time.sleep(_LOAD_SECONDS)
            scene.incidents(1)
            failed = now()
            with scene.timeline.step(f"az aks delete -n {names.cluster}"):
                where = ("-g", names.resource_group, "-n", names.cluster)
                scene.shell.run("az", "aks", "delete", *where, "--yes", timeout=600)
            if scene.serves():
                raise RuntimeError("the agents answer although their cluster is gone: nothing was broken")
            with Watch(scene.serves, now) as watch:
                scene.stack.up("--refresh", variables=CLUSTER_IS_GONE)
                operational = watch.wait(_SETTLE_SECONDS)
            time.sleep(_LOAD_SECONDS)
        return Outcome(failed, operational)
