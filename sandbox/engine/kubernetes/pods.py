"""What keeps pods from being ready: the reasons kubelet and scheduler give, and the last log line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.objects import Kind, Object
from sandbox.engine.kubernetes.verdict import condition

POD = Kind("", "v1", "Pod")
_SHOWN = 5
#: Waiting reasons that are part of a normal start.
_NORMAL = frozenset({"ContainerCreating", "PodInitializing"})


def selected(client: Client, namespace: str, selector: Mapping[str, Any]) -> list[Object]:
    """Pods that match a label selector (matchLabels only; matchExpressions are not narrowed down)."""
    labels = ",".join(f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items())
    return client.all(POD, namespace, labels=labels) if labels else []


def findings(client: Client, pods: list[Object]) -> tuple[str, ...]:
    """At most a handful of different findings over all pods."""
    found = dict.fromkeys(text for pod in pods for text in _findings(client, pod))
    return tuple(found)[:_SHOWN]


def _findings(client: Client, pod: Object) -> Iterator[str]:
    name = pod["metadata"]["name"]
    status = pod.get("status", {})
    scheduled, reason, message = condition(pod, "PodScheduled")
    if scheduled == "False":
        yield f"[Pod {name}]: {reason}: {message}"
    if status.get("phase") == "Failed" and status.get("reason"):
        yield f"[Pod {name}]: {status['reason']}: {status.get('message', '')}"
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        if text := _container(client, pod, container):
            yield f"[Pod {name}]: {text}"


def _container(client: Client, pod: Object, status: Mapping[str, Any]) -> str | None:
    name = status["name"]
    state = status.get("state", {})
    wait, ended = state.get("waiting") or {}, state.get("terminated") or {}
    if wait.get("reason") and wait["reason"] not in _NORMAL:
        previous = (status.get("lastState") or {}).get("terminated") or {}
        text = f"containers with unready status: [{name}] -- [{wait['reason']}] {wait.get('message', '')}"
        return text.rstrip() + _exit(client, pod, name, previous, previous=True)
    if ended and ended.get("exitCode"):
        return f"container [{name}] ended" + _exit(client, pod, name, ended, previous=False)
    if state.get("running") and not status.get("ready"):
        return f"container [{name}] runs but is not ready (its readiness probe fails)"
    return None


def _exit(client: Client, pod: Object, container: str, ended: Mapping[str, Any], *, previous: bool) -> str:
    if not ended:
        return ""
    text = f" (exit code {ended.get('exitCode')}, {ended.get('reason', 'Error')})"
    metadata = pod["metadata"]
    try:
        log = client.log(metadata["namespace"], metadata["name"], container, previous=previous, lines=1)
    except PlugError:  # logs are a help, not a must: the node may be gone
        return text
    return f"{text}; last log line: {log.strip()}" if log.strip() else text
