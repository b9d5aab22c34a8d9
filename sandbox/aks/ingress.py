"""The app-routing add-on's controller: Ingress objects of its class become the configuration of an nginx that
runs on the cluster's first node and stands behind the service `nginx` of `app-routing-system`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.aks import ingressrules, nginx
from sandbox.aks.addons import INGRESS_NAMESPACE, INGRESS_SERVICE
from sandbox.aks.api import Api
from sandbox.aks.certificates import Certificates
from sandbox.aks.certmanager.http01 import Challenges
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.files import write
from sandbox.aks.ingressrules import Problem, Site
from sandbox.aks.layout import NodeLayout
from sandbox.aks.shell import CommandError, run
from sandbox.host import netns
from sandbox.services import Program

log = logging.getLogger(__name__)

INGRESSES = "/apis/networking.k8s.io/v1/ingresses"
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
SECRETS = "/api/v1/secrets"
_TLS = {"fieldSelector": "type=kubernetes.io/tls"}

Objects = Sequence[Mapping[str, Any]]


class Ingress:
    """One cluster's controller. `challenges` are served beside the sites."""

    def __init__(self, plane: ControlPlane, api: Api, challenges: Challenges) -> None:
        self._plane = plane
        self._api = api
        self._challenges = challenges
        self._folder = plane.layout.folder / "ingress"
        self._certificates = Certificates(self._folder, plane.services.ca)
        self._said: set[tuple[str, str]] = set()

    async def reconcile(self, services: Objects, slices: Objects, address: str | None) -> None:
        """`address` is the load balancer's."""
        nodes = self._plane.layout.nodes()
        if not nodes or address is None:
            return
        ingresses = [one for one in (await self._api.get(INGRESSES))["items"] if ingressrules.ours(one)]
        secrets = {
            (one["metadata"]["namespace"], one["metadata"]["name"]): one.get("data") or {}
            for one in (await self._api.get(SECRETS, _TLS))["items"]
        }
        sites, problems = ingressrules.sites(ingresses, ingressrules.endpoints(slices, services))
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        certificates = await asyncio.to_thread(self._certificates.of, sites, secrets)
        await self._serve(nodes[0], sites, certificates)
        await self._point_service_at(nodes[0])
        for ingress in ingresses:
            await self._announce(ingress, address)
        for problem in problems:
            await self._say(problem)

    async def stop(self) -> None:
        """The add-on was switched off."""
        await self._plane.services.supervisor.stop(self._plane.layout.program("ingress"))

    async def _serve(self, node: NodeLayout, sites: Sequence[Site], certificates: Mapping[str, Path]) -> None:
        """Have nginx run with these sites; a configuration that it refuses never replaces a good one."""
        path = self._folder / "nginx.conf"
        default = await asyncio.to_thread(self._certificates.issued, f"ingress.{self._plane.settings.fqdn}")

        def render(chosen: Sequence[Site]) -> str:
            return nginx.render(
                chosen,
                address=str(node.ingress_address(self._plane.settings.pods)),
                folder=self._folder,
                default=default,
                certificates=certificates,
                challenges=self._challenges.served,
            )

        text = render(sites)
        changed = not path.is_file() or path.read_text() != text
        if changed and not await asyncio.to_thread(self._accepts, node, text):
            # One site is at fault: serve the others.
            good = [site for site in sites if await asyncio.to_thread(self._accepts, node, render([site]))]
            log.warning("nginx refuses %s", {site.host for site in sites} - {site.host for site in good})
            text = render(good)
        if changed:
            write(path, text)
        program = Program(
            self._plane.layout.program("ingress"),
            ["nginx", "-e", "stderr", "-c", str(path)],
            netns=node.netns,
            stop_signal="QUIT",
        )
        await self._plane.services.supervisor.start(program)
        if changed:
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((self._folder / "nginx.pid").read_text()), signal.SIGHUP)
            await asyncio.to_thread(self._certificates.forget_all_but, certificates.values())

    def _accepts(self, node: NodeLayout, text: str) -> bool:
        trial = self._folder / "nginx.conf.new"
        write(trial, text)
        enter = f"--net={netns.path(node.netns)}"
        try:
            run("nsenter", enter, "nginx", "-t", "-q", "-e", "stderr", "-c", str(trial))
        except CommandError as error:
            log.warning("%s", error)
            return False
        return True

    async def _point_service_at(self, node: NodeLayout) -> None:
        base = f"/apis/discovery.k8s.io/v1/namespaces/{INGRESS_NAMESPACE}/endpointslices"
        address = str(node.ingress_address(self._plane.settings.pods))
        wanted: dict[str, Any] = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": INGRESS_SERVICE,
                "namespace": INGRESS_NAMESPACE,
                "labels": {
                    "kubernetes.io/service-name": INGRESS_SERVICE,
                    "endpointslice.kubernetes.io/managed-by": "app-routing.kubernetes.azure.com",
                },
            },
            "addressType": "IPv4",
            # The traffic policy is Local: kube-proxy must know that the endpoint is its node's.
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}, "nodeName": node.name}],
            "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}],
        }
        found = await self._api.find(f"{base}/{INGRESS_SERVICE}")
        if found is None:
            await self._api.post(base, wanted)
        elif found["endpoints"] != wanted["endpoints"]:
            await self._api.patch(f"{base}/{INGRESS_SERVICE}", {"endpoints": wanted["endpoints"]})

    async def _announce(self, ingress: Mapping[str, Any], address: str) -> None:
        points = [{"ip": address}]
        if ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") != points:
            meta = ingress["metadata"]
            path = (
                f"/apis/networking.k8s.io/v1/namespaces/{meta['namespace']}/ingresses/{meta['name']}/status"
            )
            await self._api.patch(path, {"status": {"loadBalancer": {"ingress": points}}})

    async def _say(self, problem: Problem) -> None:
        """An event that `kubectl describe ingress` shows; each once."""
        meta = problem.ingress["metadata"]
        key = (f"{meta['uid']}/{meta.get('generation')}", problem.message)
        if key in self._said:
            return
        self._said.add(key)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        involved = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}
        involved |= {name: meta[name] for name in ("name", "namespace", "uid")}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{meta['name']}.", "namespace": meta["namespace"]},
            "involvedObject": involved,
            "reason": "Rejected",
            "message": problem.message,
            "type": "Warning",
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": "nginx-ingress-controller"},
        }
        await self._api.post(f"/api/v1/namespaces/{meta['namespace']}/events", event)
