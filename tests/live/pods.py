"""The notification agent's pods: how many there are is the autoscaler's to say."""

from __future__ import annotations

import json
from typing import Any

from tests.sandboxed import Sandbox
from tests.waiting import until

NAMESPACE = ("-n", "agents-dev")
DEPLOYMENT = "deployment/notification-agent"
#: A pod that goes first answers what it has begun, which may take minutes.
_LEAVING_SECONDS = 300
_READ_METRICS = (
    "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/metrics/').read().decode())"
)


def settled(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Those that are there once the deployment is as it is asked to be, and no pod leaves any more."""
    sandbox.kubectl("rollout", "status", DEPLOYMENT, *NAMESPACE, "--timeout=240s")
    return until(
        lambda: _all(sandbox),
        lambda found: not any("deletionTimestamp" in pod["metadata"] for pod in found),
        seconds=_LEAVING_SECONDS,
        what="the pods that leave have left",
    )


def staying(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Those that are not on their way out."""
    return [pod for pod in _all(sandbox) if "deletionTimestamp" not in pod["metadata"]]


def metrics(sandbox: Sandbox, pod: dict[str, Any]) -> list[str]:
    """What Prometheus reads from it."""
    where = (pod["metadata"]["name"], *NAMESPACE)
    return sandbox.kubectl("exec", *where, "--", "python", "-c", _READ_METRICS).splitlines()


def _all(sandbox: Sandbox) -> list[dict[str, Any]]:
    mine = ("-l", "app.kubernetes.io/name=notification-agent", "-o", "json")
    found: list[dict[str, Any]] = json.loads(sandbox.kubectl("get", "pods", *NAMESPACE, *mine))["items"]
    return found
