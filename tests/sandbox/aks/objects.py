"""Kubernetes objects and ARM bodies as the tests of clusters need them."""

from __future__ import annotations

from typing import Any

from sandbox.arm.handler import Principal, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource
from sandbox.config import SUBSCRIPTION_ID, TENANT_ID

GROUP = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/one"
CLASS = "webapprouting.kubernetes.azure.com"


def cluster_put(properties: Body | None = None, previous: Body | None = None) -> Put:
    """A PUT of a cluster with one system pool."""
    body = {
        "location": "westeurope",
        "properties": {
            "agentPoolProfiles": [{"name": "system", "mode": "System", "vmSize": "Standard_D2s_v5"}],
            **(properties or {}),
        },
    }
    id_ = parse_id(CLUSTER)
    before = Resource(id_, previous, 0.0, 0.0) if previous else None
    return Put(id_, body, before, Principal("owner", "app", TENANT_ID, "arm", {}), "2025-09-01")


def ingress(
    name: str = "web",
    *paths: tuple[str, str],
    host: str | None = "web.azure.test",
    notes: dict[str, str] | None = None,
    tls: str | None = None,
    created: str = "2026-01-01T00:00:00Z",
    **spec: Any,
) -> dict[str, Any]:
    """`paths` are (path, path type); each goes to port 80 of the service `web`."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    listed = [{"path": path, "pathType": kind, "backend": backend} for path, kind in paths]
    rule = {**({"host": host} if host else {}), "http": {"paths": listed}}
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": name,
            "creationTimestamp": created,
            "annotations": {
                f"nginx.ingress.kubernetes.io/{key}": value for key, value in (notes or {}).items()
            },
        },
        "spec": {
            "ingressClassName": CLASS,
            "rules": [rule] if paths else [],
            **({"tls": [{"hosts": [host], "secretName": tls}]} if tls else {}),
            **spec,
        },
    }


def service(name: str = "web", *, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "ClusterIP", "ports": ports, **spec},
        "status": {},
    }


def endpoint_slice(
    *addresses: str, service: str = "web", ready: bool | None = True, node: str | None = None
) -> dict[str, Any]:
    conditions = {} if ready is None else {"ready": ready}
    return {
        "metadata": {"namespace": "default", "labels": {"kubernetes.io/service-name": service}},
        "endpoints": [{"addresses": [one], "conditions": conditions, "nodeName": node} for one in addresses],
        "ports": [{"name": "http", "port": 8080}],
    }
