"""Azure RBAC for Kubernetes: which data action is asked, at which scope."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.aks.azurerbac import review
from tests.sandbox.aks.objects import CLUSTER
from tests.sandbox.azure.fakes import Rbac

PREFIX = "Microsoft.ContainerService/managedClusters"


def allowed(rbac: Rbac, **attributes: Any) -> bool:
    body = {"spec": {"user": "someone", "resourceAttributes": attributes}}
    return bool(review(rbac, CLUSTER, body)["status"]["allowed"])


@pytest.mark.parametrize(
    ("attributes", "action"),
    [
        ({"verb": "get", "resource": "pods"}, "pods/read"),
        ({"verb": "watch", "resource": "pods", "subresource": "log"}, "pods/read"),
        ({"verb": "patch", "resource": "deployments", "group": "apps"}, "apps/deployments/write"),
        ({"verb": "deletecollection", "resource": "secrets"}, "secrets/delete"),
        ({"verb": "create", "resource": "pods", "subresource": "exec"}, "pods/exec/action"),
        ({"verb": "escalate", "resource": "roles", "group": "rbac"}, "rbac/roles/escalate/action"),
    ],
)
def test_verbs_become_data_actions(attributes: dict[str, str], action: str) -> None:
    rbac = Rbac()
    assert not allowed(rbac, **attributes)
    rbac.grant("someone", f"{PREFIX}/{action}", scope=CLUSTER)
    assert allowed(rbac, **attributes)


def test_an_assignment_on_a_namespace_counts_there_alone() -> None:
    rbac = Rbac()
    rbac.grant("someone", f"{PREFIX}/pods/read", scope=f"{CLUSTER}/namespaces/mine")
    assert allowed(rbac, verb="get", resource="pods", namespace="mine")
    assert not allowed(rbac, verb="get", resource="pods", namespace="other")
    assert not allowed(rbac, verb="get", resource="pods")


def test_paths_that_are_no_resource() -> None:
    rbac = Rbac()
    rbac.grant("someone", f"{PREFIX}/healthz/read")
    body = {"spec": {"user": "someone", "nonResourceAttributes": {"verb": "get", "path": "/healthz"}}}
    assert review(rbac, CLUSTER, body)["status"]["allowed"]
    body["spec"]["nonResourceAttributes"] = {"verb": "get", "path": "/metrics"}
    refused = review(rbac, CLUSTER, body)["status"]
    assert not refused["allowed"]
    assert "metrics/read" in refused["reason"]
