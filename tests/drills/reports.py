"""Reports of two drills, one of each kind."""

from __future__ import annotations

from drills import bounds
from drills.report import Check, Figure, Report
from drills.timeline import Step
from tests.drills.examples import at


def passed() -> Report:
    return Report(
        drill="cluster-loss",
        broken="The cluster is deleted.",
        restored_by="`pulumi up`",
        began=at(0),
        ended=at(300),
        failed_at=at(60),
        operational_at=at(150.25),
        rto=Figure(measured=90.25, target=120),
        rpo=Figure(measured=0, target=0),
        sentinels={"acknowledged": 40},
        checks=[Check(name="content", looked_at="40 that must be there", problems=[])],
        azure=[bounds.CLUSTER],
        timeline=[
            Step(at=at(60), offset=60, what="it fails"),
            Step(at=at(70), offset=70, what="pulumi up", seconds=80),
        ],
    )


def failed() -> Report:
    return passed().model_copy(
        update={
            "drill": "vault-deleted",
            "checks": [Check(name="content", looked_at="40", problems=["sentinel 1 is missing"])],
            "azure": [bounds.VAULT],
        }
    )
