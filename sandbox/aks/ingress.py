"""The app-routing add-on's controller: Ingress objects of its class become the configuration of an nginx that
runs on the cluster's first node and stands behind the service `nginx` of `app-routing-system`."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.aks import nginx
from sandbox.aks.addons import INGRESS_NAMESPACE, INGRESS_SERVICE
from sandbox.aks.api import Api
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.files import write
from sandbox.aks.layout import NodeLayout
from sandbox.aks.settings import INGRESS_CLASS
from sandbox.aks.shell import run
from sandbox.host import netns
from sandbox.services import Program

INGRESSES = "/apis/networking.k8s.io/v1/ingresses"
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
SECRETS = "/api/v1/secrets?fieldSelector=type%3Dkubernetes.io/tls"
_SERVICE_NAME = "kubernetes.io/service-name"


async def reconcile(plane: ControlPlane, api: Api, services: Mapping[tuple[str, str], str]) -> None:
    """`services` are the addresses of the cluster's load balancers (see `loadbalancer.reconcile`)."""
    nodes = plane.layout.nodes()
    address = services.get((INGRESS_NAMESPACE, INGRESS_SERVICE))
    if not nodes or address is None:
        return
    ingresses = [one for one in (await api.get(INGRESSES))["items"] if _ours(one)]
    secrets = {
        (one["metadata"]["namespace"], one["metadata"]["name"]): one["data"]
        for one in (await api.get(SECRETS))["items"]
    }
    servers = endpoints((await api.get(SLICES))["items"], (await api.get("/api/v1/services"))["items"])
    folder = plane.layout.folder / "ingress"
    folder.mkdir(parents=True, exist_ok=True)
    sites = []
    for host, (locations, redirect) in nginx.hosts(ingresses, servers).items():
        certificate = _certificate(plane, folder, host, ingresses, secrets)
        sites.append(nginx.Site(host, tuple(locations), certificate, redirect))
    text = nginx.render(
        sites,
        address=str(nodes[0].address),
        folder=folder,
        default=_issued(plane, folder, f"ingress.{plane.settings.fqdn}"),
    )
    await _serve(plane, nodes[0], folder, text)
    await _point_service_at(api, nodes[0])
    for ingress in ingresses:
        await _announce(api, ingress, address)


def endpoints(
    slices: Sequence[Mapping[str, Any]], services: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str, str], list[str]]:
    """(namespace, service, port name or number) -> `ip:port` of ready pods."""
    numbers = {
        (one["metadata"]["namespace"], one["metadata"]["name"], port.get("name") or ""): str(port["port"])
        for one in services
        for port in one["spec"].get("ports") or []
    }
    found: dict[tuple[str, str, str], list[str]] = {}
    for part in slices:
        namespace = part["metadata"]["namespace"]
        service = (part["metadata"].get("labels") or {}).get(_SERVICE_NAME, "")
        ready = [
            address
            for endpoint in part.get("endpoints") or []
            if (endpoint.get("conditions") or {}).get("ready")
            for address in endpoint["addresses"]
        ]
        for port in part.get("ports") or []:
            name = port.get("name") or ""
            pods = [f"{address}:{port['port']}" for address in ready]
            for key in {name, numbers.get((namespace, service, name), name)}:
                found.setdefault((namespace, service, key), []).extend(pods)
    return {key: sorted(set(pods)) for key, pods in found.items()}


def _ours(ingress: Mapping[str, Any]) -> bool:
    return bool(ingress["spec"].get("ingressClassName") == INGRESS_CLASS)


def _certificate(
    plane: ControlPlane,
    folder: Path,
    host: str,
    ingresses: Sequence[Mapping[str, Any]],
    secrets: Mapping[tuple[str, str], Mapping[str, str]],
) -> Path | None:
    """The host's certificate: that of the secret an Ingress names, else one of the sandbox's authority until
    the secret exists. None when no Ingress asks for TLS."""
    for ingress in ingresses:
        for entry in ingress["spec"].get("tls") or []:
            if host not in (entry.get("hosts") or []):
                continue
            data = secrets.get((ingress["metadata"]["namespace"], entry.get("secretName") or ""))
            if data is None:
                return _issued(plane, folder, host)
            path = folder / f"{host}.secret"
            write(path.with_name(f"{path.name}.key"), _plain(data["tls.key"]), mode=0o600)
            write(path.with_name(f"{path.name}.crt"), _plain(data["tls.crt"]))
            return path
    return None


def _issued(plane: ControlPlane, folder: Path, host: str) -> Path:
    path = folder / f"{host}.issued"
    certificate, key = path.with_name(f"{path.name}.crt"), path.with_name(f"{path.name}.key")
    if not certificate.is_file():
        chain, private = plane.services.ca.issue([host])
        write(key, private, mode=0o600)
        write(certificate, chain)
    return path


def _plain(encoded: str) -> str:
    return base64.b64decode(encoded).decode()


async def _serve(plane: ControlPlane, node: NodeLayout, folder: Path, text: str) -> None:
    """Have nginx run with this configuration; a broken one never replaces a good one."""
    path, new = folder / "nginx.conf", folder / "nginx.conf.new"
    changed = not path.is_file() or path.read_text() != text
    if changed:
        write(new, text)
        await asyncio.to_thread(
            run,
            "nsenter",
            f"--net={netns.path(node.netns)}",
            "nginx",
            "-t",
            "-q",
            "-e",
            "stderr",
            "-c",
            str(new),
        )
        new.replace(path)
    program = Program(
        plane.layout.program("ingress"), ["nginx", "-e", "stderr", "-c", str(path)], netns=node.netns
    )
    await plane.services.supervisor.start(program)
    if changed:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((folder / "nginx.pid").read_text()), signal.SIGHUP)


async def _point_service_at(api: Api, node: NodeLayout) -> None:
    base = f"/apis/discovery.k8s.io/v1/namespaces/{INGRESS_NAMESPACE}/endpointslices"
    # The service's traffic policy is Local: kube-proxy must know that the endpoint is its node's.
    endpoint = {"addresses": [str(node.address)], "conditions": {"ready": True}, "nodeName": node.name}
    wanted = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": INGRESS_SERVICE,
            "namespace": INGRESS_NAMESPACE,
            "labels": {
                _SERVICE_NAME: INGRESS_SERVICE,
                "endpointslice.kubernetes.io/managed-by": "app-routing.kubernetes.azure.com",
            },
        },
        "addressType": "IPv4",
        "endpoints": [endpoint],
        "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}],
    }
    found = await api.find(f"{base}/{INGRESS_SERVICE}")
    if found is None:
        await api.post(base, wanted)
    elif found["endpoints"] != [endpoint]:
        await api.patch(f"{base}/{INGRESS_SERVICE}", {"endpoints": wanted["endpoints"]})


async def _announce(api: Api, ingress: Mapping[str, Any], address: str) -> None:
    points = [{"ip": address}]
    if ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") != points:
        meta = ingress["metadata"]
        path = f"/apis/networking.k8s.io/v1/namespaces/{meta['namespace']}/ingresses/{meta['name']}/status"
        await api.patch(path, {"status": {"loadBalancer": {"ingress": points}}})
