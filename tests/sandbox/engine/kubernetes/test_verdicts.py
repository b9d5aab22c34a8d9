"""When an object counts as ready, decided on the object alone."""

from typing import Any

import pytest

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes import pods, workloads
from sandbox.engine.kubernetes.objects import Kind
from sandbox.engine.kubernetes.readiness import look_for, seconds
from sandbox.engine.kubernetes.wait_for import parsed


class NoPods:
    """A client for looks that ask about pods."""

    def all(self, *_: Any, **__: Any) -> list[Any]:
        return []


def deployment(**status: Any) -> dict[str, Any]:
    progressing = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    base = {
        "observedGeneration": 2,
        "replicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
        "conditions": [progressing],
    }
    return {
        "metadata": {"name": "a", "generation": 2},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}},
        "status": {**base, **status},
    }


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({}, True),
        ({"observedGeneration": 1}, False),
        ({"updatedReplicas": 1}, False),
        ({"availableReplicas": 1}, False),
        ({"replicas": 3}, False),
        ({"conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}]}, False),
    ],
)
def test_deployments(status: dict[str, Any], ready: bool) -> None:
    assert workloads.deployment(NoPods(), deployment(**status)).ready == ready


def test_a_deployment_past_its_deadline_has_failed() -> None:
    condition = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "m",
    }
    verdict = workloads.deployment(NoPods(), deployment(conditions=[condition]))
    assert (verdict.failed, verdict.message) == (True, "[ProgressDeadlineExceeded] m")


@pytest.mark.parametrize(
    ("status", "spec", "ready"),
    [
        ({"readyReplicas": 3, "updatedReplicas": 3}, {}, True),
        ({"readyReplicas": 3, "updatedReplicas": 1}, {}, False),
        ({"readyReplicas": 3, "updatedReplicas": 1}, {"rollingUpdate": {"partition": 2}}, True),
        ({"readyReplicas": 3}, {"type": "OnDelete"}, True),
        ({"readyReplicas": 2, "updatedReplicas": 3}, {}, False),
    ],
)
def test_stateful_sets(status: dict[str, Any], spec: dict[str, Any], ready: bool) -> None:
    value = {
        "metadata": {"name": "a", "generation": 1},
        "spec": {"replicas": 3, "updateStrategy": spec},
        "status": {"observedGeneration": 1, **status},
    }
    assert workloads.stateful_set(NoPods(), value).ready == ready


class Logs:
    def log(self, *_: Any, previous: bool, **__: Any) -> str:
        return "KeyError: 'DATABASE'\n" if previous else ""


def test_a_crashing_container_shows_its_last_words() -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    container = {"name": "main", "state": state, "lastState": ended}
    pod = {"metadata": {"name": "web-1", "namespace": "apps"}, "status": {"containerStatuses": [container]}}
    (found,) = pods.findings(Logs(), [pod])
    assert found == (
        "[Pod web-1]: containers with unready status: [main] -- [CrashLoopBackOff] back-off 10s "
        "(exit code 1, Error); last log line: KeyError: 'DATABASE'"
    )


def test_an_unschedulable_pod_says_why() -> None:
    message = "0/1 nodes are available: 1 Insufficient cpu"
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    pod = {"metadata": {"name": "web-1"}, "status": {"conditions": [condition]}}
    assert pods.findings(Logs(), [pod]) == (f"[Pod web-1]: Unschedulable: {message}",)


VALUE = {
    "status": {"phase": "Done", "conditions": [{"type": "Ready", "status": "False"}], "items": [{"a": 1}]}
}


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("jsonpath={.status.phase}", True),
        ("jsonpath={.status.phase}=Done", True),
        ("jsonpath={.status.phase}=Other", False),
        ("jsonpath={.status.items[0].a}=1", True),
        ("jsonpath={.status.items[1].a}", False),
        ("jsonpath={.status.conditions[?(@.type=='Ready')].status}=False", True),
        ("condition=Ready", False),
        ("condition=Ready=False", True),
        ('["jsonpath={.status.phase}=Done", "condition=Ready=False"]', True),
        ('["jsonpath={.status.phase}=Done", "condition=Ready"]', False),
    ],
)
def test_wait_for(text: str, ready: bool) -> None:
    assert parsed(text)(NoPods(), VALUE).ready == ready


@pytest.mark.parametrize("text", ["Ready", "jsonpath={.a[*]}", "[oops"])
def test_a_malformed_wait_for_is_quoted(text: str) -> None:
    with pytest.raises(PlugError, match=r"pulumi\.com/waitFor"):
        parsed(text)


def test_timeouts() -> None:
    annotated = {"metadata": {"annotations": {"pulumi.com/timeoutSeconds": "7"}}}
    assert (seconds({}, 0), seconds(annotated, 0), seconds(annotated, 3)) == (600, 7, 3)


def test_a_quota_is_ready_once_its_limits_are_in_force() -> None:
    look = look_for(Kind("", "v1", "ResourceQuota"), {}, patch=False)
    assert look is not None
    quota = {"spec": {"hard": {"pods": "5"}}, "status": {"hard": {"pods": "4"}}}
    assert not look(NoPods(), quota).ready
    assert not look(NoPods(), {"spec": {"hard": {"pods": "5"}}}).ready
    assert look(NoPods(), {**quota, "status": {"hard": {"pods": "5"}}}).ready
