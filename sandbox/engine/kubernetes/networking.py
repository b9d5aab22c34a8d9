"""When Services and Ingresses carry traffic."""

from __future__ import annotations

from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.objects import Kind, Object, name, namespace
from sandbox.engine.kubernetes.verdict import READY, Verdict, waiting

_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice")
_SERVICE = Kind("", "v1", "Service")


def service(client: Client, value: Object) -> Verdict:
    """A ready endpoint behind it, and an address in front of it where it asks for one."""
    spec = value["spec"]
    if spec.get("type") == "ExternalName":
        return READY
    if spec.get("selector") and spec.get("clusterIP") != "None" and not _targets(client, value):
        return waiting(
            "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may "
            "not match labels on any Pods"
        )
    if spec.get("type") == "LoadBalancer" and not _addresses(value):
        return waiting("Service was not allocated an IP address; does your cluster have a load balancer?")
    return READY


def ingress(client: Client, value: Object) -> Verdict:
    """An address, and a ready endpoint behind every backend."""
    space = namespace(value)
    for backend in sorted(_backends(value)):
        found = client.find(_SERVICE, space, backend)
        if found is None:
            return waiting(f"Ingress names the Service {backend!r}, which does not exist in {space}")
        if found["spec"].get("type") != "ExternalName" and not _targets(client, found):
            return waiting(f"Ingress names the Service {backend!r}, which has no ready endpoint")
    if not _addresses(value):
        return waiting(
            "Ingress .status.loadBalancer field was not updated with a hostname/IP address; is the "
            "controller of its ingress class running?"
        )
    return READY


def _addresses(value: Object) -> bool:
    return bool(value.get("status", {}).get("loadBalancer", {}).get("ingress"))


def _targets(client: Client, value: Object) -> bool:
    slices = client.all(_SLICE, namespace(value), labels=f"kubernetes.io/service-name={name(value)}")
    return any(
        endpoint.get("addresses") and (endpoint.get("conditions") or {}).get("ready") is not False
        for found in slices
        for endpoint in found.get("endpoints") or ()
    )


def _backends(value: Object) -> set[str]:
    spec = value["spec"]
    paths = [
        path["backend"]
        for rule in spec.get("rules") or ()
        for path in (rule.get("http") or {}).get("paths") or ()
    ]
    default = [spec["defaultBackend"]] if spec.get("defaultBackend") else []
    return {backend["service"]["name"] for backend in [*paths, *default] if backend.get("service")}
