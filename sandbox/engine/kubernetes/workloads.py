"""When things that run pods are ready."""

from __future__ import annotations

from sandbox.engine.kubernetes import pods
from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.objects import Object, namespace
from sandbox.engine.kubernetes.verdict import READY, Verdict, condition, failed, waiting


def deployment(client: Client, value: Object) -> Verdict:
    """Rolled out: the current generation seen, all replicas updated, available, and no old one left."""
    if not _observed(value):
        return waiting("the controller has not seen the Deployment yet")
    if value["spec"].get("paused"):
        return READY
    status, wanted = value.get("status", {}), value["spec"].get("replicas", 1)
    progressing, reason, message = condition(value, "Progressing")
    if progressing == "False" and reason == "ProgressDeadlineExceeded":
        return failed(f"[{reason}] {message}", *_pods(client, value))
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    rolled = progressing == "True" and reason == "NewReplicaSetAvailable"
    if wanted == 0 and total == 0:
        return READY
    if rolled and updated >= wanted and total <= updated and available >= updated:
        return READY
    count = f"{min(updated, available)}/{wanted} replicas are updated and available"
    if total > updated:
        count += f", {total - updated} old ones are left"
    return waiting(count, *_pods(client, value))


def stateful_set(client: Client, value: Object) -> Verdict:
    if not _observed(value):
        return waiting("the controller has not seen the StatefulSet yet")
    status, spec = value.get("status", {}), value["spec"]
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    strategy = spec.get("updateStrategy", {})
    rolls = strategy.get("type", "RollingUpdate") == "RollingUpdate"
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    current = status.get("updatedReplicas", 0) if rolls else wanted
    if ready >= wanted and current >= wanted - partition:
        return READY
    return waiting(f"{min(ready, current)}/{wanted} replicas are updated and ready", *_pods(client, value))


def daemon_set(client: Client, value: Object) -> Verdict:
    if not _observed(value):
        return waiting("the controller has not seen the DaemonSet yet")
    status = value.get("status", {})
    wanted, available = status.get("desiredNumberScheduled", 0), status.get("numberAvailable", 0)
    rolls = value["spec"].get("updateStrategy", {}).get("type") != "OnDelete"
    updated = status.get("updatedNumberScheduled", 0) if rolls else wanted
    if min(updated, available) >= wanted:
        return READY
    return waiting(
        f"{min(updated, available)}/{wanted} pods are updated and available", *_pods(client, value)
    )


def job(client: Client, value: Object) -> Verdict:
    if value["spec"].get("suspend"):
        return READY
    if condition(value, "Complete")[0] == "True" or condition(value, "SuccessCriteriaMet")[0] == "True":
        return READY
    status, reason, message = condition(value, "Failed")
    found = _pods(client, value)
    if status == "True":
        return failed(f"[{reason}] {message}", *found)
    done = value.get("status", {}).get("succeeded", 0)
    return waiting(f"{done}/{value['spec'].get('completions', 1)} pods have completed", *found)


def pod(client: Client, value: Object) -> Verdict:
    phase = value.get("status", {}).get("phase", "")
    if phase == "Succeeded" or condition(value, "Ready")[0] == "True":
        return READY
    found = pods.findings(client, [value])
    if phase == "Failed":
        return failed("the Pod has failed", *found)
    return waiting(f"the Pod is {phase or 'not scheduled'} and not ready", *found)


def _observed(value: Object) -> bool:
    seen: int = value.get("status", {}).get("observedGeneration", 0)
    wanted: int = value["metadata"].get("generation", 0)
    return seen >= wanted


def _pods(client: Client, value: Object) -> tuple[str, ...]:
    chosen = pods.selected(client, namespace(value), value["spec"].get("selector") or {})
    return pods.findings(client, chosen)
