"""A real Kubernetes API server takes every object, every pod as restricted, and as many as may be at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.workload.quota import ACME_SOLVER, pods
from sandbox.engine.kubernetes.client import ApiError, Client
from sandbox.engine.kubernetes.objects import Kind
from tests.infra.workload import AGENTS, NAMESPACE, SINCE, container, declared, of, templates
from tests.sandbox.engine.conftest import tool
from tests.sandbox.engine.kubernetes.control_plane import ControlPlane, until

pytestmark = pytest.mark.slow

_KINDS = {
    "Namespace": Kind("", "v1", "Namespace"),
    "PriorityClass": Kind("scheduling.k8s.io", "v1", "PriorityClass"),
    "NetworkPolicy": Kind("networking.k8s.io", "v1", "NetworkPolicy"),
    "ResourceQuota": Kind("", "v1", "ResourceQuota"),
    "LimitRange": Kind("", "v1", "LimitRange"),
    "ServiceAccount": Kind("", "v1", "ServiceAccount"),
    "ConfigMap": Kind("", "v1", "ConfigMap"),
    "Service": Kind("", "v1", "Service"),
    "Deployment": Kind("apps", "v1", "Deployment"),
    "HorizontalPodAutoscaler": Kind("autoscaling", "v2", "HorizontalPodAutoscaler"),
    "PodDisruptionBudget": Kind("policy", "v1", "PodDisruptionBudget"),
    "Job": Kind("batch", "v1", "Job"),
}
_POD = Kind("", "v1", "Pod")
#: As cert-manager makes it.
_SOLVER = {
    "metadata": {"labels": {"acme.cert-manager.io/http01-solver": "true"}},
    "spec": {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "acmesolver",
                "image": "quay.io/jetstack/cert-manager-acmesolver:v1.21.2",
                "resources": {
                    "requests": {"cpu": f"{ACME_SOLVER.cpu}m", "memory": f"{ACME_SOLVER.memory}Mi"},
                    "limits": {"cpu": "100m", "memory": f"{ACME_SOLVER.memory_limit}Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    },
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Of a control plane on which everything was made that an environment declares, but the pods' owners."""
    tools = {name: tool(name) for name in ("etcd", "kube-apiserver", "kube-controller-manager")}
    plane = ControlPlane(tmp_path_factory.mktemp("admission"), tools)
    try:
        plane.start()
        client, found = plane.client(), declared(since=SINCE, kept=())
        for name, kind in _KINDS.items():
            for body in of(found, name).values():
                if name not in {"Deployment", "Job"}:
                    _create(client, kind, body)
        until(lambda: _used(client), "the quota to be counted")
        yield client
    finally:
        plane.stop()


def _create(client: Client, kind: Kind, body: dict[str, Any], *, dry: bool = False) -> None:
    def misread(text: str) -> None:
        raise AssertionError(f"{body['metadata']['name']}: {text}")

    client.create(kind, body["metadata"].get("namespace") or "", body, manager="test", dry=dry, warn=misread)


def _used(client: Client) -> dict[str, str] | None:
    quota = client.find(_KINDS["ResourceQuota"], NAMESPACE, "agents")
    assert quota
    used: dict[str, str] | None = quota.get("status", {}).get("used")
    return used


def _pod(template: dict[str, Any], name: str) -> dict[str, Any]:
    """One that no scheduler places, so that all of them are there at once."""
    body = copy.deepcopy(template)
    metadata = {**body["metadata"], "name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": body["spec"]}


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_what_owns_pods_is_taken(client: Client, kind: str) -> None:
    bodies = of(declared(since=SINCE), kind)
    assert bodies
    for body in bodies.values():
        _create(client, _KINDS[kind], body, dry=True)


@pytest.mark.parametrize("breach", ["none", "root", "privileges", "capabilities", "seccomp", "host"])
def test_every_pod_keeps_to_the_restricted_profile_and_others_are_refused(
    client: Client, breach: str
) -> None:
    for name, template in templates(declared(since=SINCE)).items():
        pod = _pod(template, f"try-{breach}-{name}")
        _break(pod["spec"], breach)
        if breach == "none":
            _create(client, _POD, pod, dry=True)
            continue
        with pytest.raises(ApiError, match=r'violates PodSecurity "restricted:v1\.34"'):
            _create(client, _POD, pod, dry=True)


def _break(spec: dict[str, Any], breach: str) -> None:
    own = container({"spec": spec})["securityContext"]
    if breach == "root":
        spec["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}
    elif breach == "privileges":
        own["allowPrivilegeEscalation"] = True
    elif breach == "capabilities":
        own["capabilities"] = {"drop": []}
    elif breach == "seccomp":
        del spec["securityContext"]["seccompProfile"]
    elif breach == "host":
        spec["hostNetwork"] = True


def test_a_container_that_says_nothing_gets_limits(client: Client) -> None:
    template = copy.deepcopy(templates(declared())["notification-agent"])
    del container(template)["resources"]
    made = client.create(_POD, NAMESPACE, _pod(template, "silent"), manager="test", dry=True)
    resources = made["spec"]["containers"][0]["resources"]
    assert resources["limits"] == {"memory": "128Mi"}, json.dumps(resources)
    assert resources["requests"] == {"cpu": "50m", "memory": "64Mi"}


def test_the_quota_takes_all_that_may_be_at_once_and_not_one_more(client: Client) -> None:
    found = templates(declared(since=SINCE, kept=()))
    wanted = {
        **{f"{agent}-agent": pods(settings) for agent, settings in AGENTS.items()},
        **{name: 2 for name in found if name.startswith(("migration", "republishing", "secret-"))},
    }
    for name, count in wanted.items():
        for number in range(count):
            _create(client, _POD, _pod(found[name], f"{name}-{number}"))
    for number in range(2):
        _create(client, _POD, _pod(_SOLVER, f"solver-{number}"))
    with pytest.raises(ApiError, match="exceeded quota"):
        _create(client, _POD, _pod(found["notification-agent"], "one-more"))
