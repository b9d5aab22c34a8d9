"""Azure RBAC for Kubernetes: a SubjectAccessReview answered from Azure's role assignments.

The mapping of verbs and resources to data actions is that of Azure's guard authorizer:
`Microsoft.ContainerService/managedClusters/[GROUP/]RESOURCE/{read,write,delete,…}`, asked at the cluster or
at `CLUSTER/namespaces/NAMESPACE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.services import Rbac

_PREFIX = "Microsoft.ContainerService/managedClusters"
_VERBS = {
    **dict.fromkeys(("get", "list", "watch"), "read"),
    **dict.fromkeys(("create", "update", "patch"), "write"),
    **dict.fromkeys(("delete", "deletecollection"), "delete"),
    **{
        verb: f"{verb}/action"
        for verb in ("bind", "escalate", "use", "impersonate", "approve", "sign", "attest")
    },
}


def review(rbac: Rbac, cluster_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The SubjectAccessReview with its status filled in."""
    spec = body.get("spec") or {}
    user = str(spec.get("user", ""))
    scope, action = _question(cluster_id, spec)
    allowed = rbac.allows(user, action, scope, data=True)
    status: dict[str, Any] = {"allowed": allowed}
    status["reason"] = (
        f"Access allowed by Azure RBAC: {action}"
        if allowed
        else f"User does not have access to the resource in Azure. "
        f"Update role assignment to allow access ({action})."
    )
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "status": status}


def _question(cluster_id: str, spec: Mapping[str, Any]) -> tuple[str, str]:
    attributes = spec.get("resourceAttributes")
    if attributes is None:
        plain = spec.get("nonResourceAttributes") or {}
        path = str(plain.get("path", "/")).strip("/")
        return cluster_id, "/".join(part for part in (_PREFIX, path, _verb(plain.get("verb"))) if part)
    resource, verb = str(attributes.get("resource", "")), _verb(attributes.get("verb"))
    if attributes.get("subresource") == "exec":
        verb = "exec/action"
    namespace = attributes.get("namespace")
    scope = f"{cluster_id}/namespaces/{namespace}" if namespace else cluster_id
    return scope, "/".join(part for part in (_PREFIX, attributes.get("group"), resource, verb) if part)


def _verb(verb: Any) -> str:
    return _VERBS.get(str(verb), str(verb))
