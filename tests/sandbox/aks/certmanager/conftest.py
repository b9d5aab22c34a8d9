"""cert-manager's controllers on a real API server that has the real definitions; only the ingress is a
stand-in, which serves what it is told to."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from sandbox.aks.api import Api, ApiError
from sandbox.aks.certmanager.controller import CertManager
from sandbox.aks.certmanager.http01 import PATH, Challenges
from sandbox.aks.certmanager.objects import CERTIFICATES, SECRETS, WATCHED, Object, condition, inside
from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.helm import charts
from sandbox.helm import releases
from tests.sandbox.azure import fakes
from tests.sandbox.engine.conftest import tool
from tests.sandbox.engine.kubernetes.control_plane import ControlPlane, until

SPACE = "agents"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class TestApi(Api):
    """By token instead of a client certificate."""

    def __init__(self, control_plane: ControlPlane) -> None:
        file = control_plane.folder / "certificates" / "apiserver.crt"
        self._client = httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{control_plane.port}",
            verify=ssl.create_default_context(cafile=str(file)),
            headers={"Authorization": f"Bearer {control_plane.token}"},
            timeout=15,
            trust_env=False,
        )


@dataclass
class World:
    """`names` is the DNS; the stand-in ingress listens at `address`."""

    api: Api
    manager: CertManager
    challenges: Challenges
    authority: fakes.Authority
    address: str
    names: dict[str, str] = field(default_factory=dict)

    async def rounds(
        self, good: Callable[[Object], bool], name: str = "agents-tls", most: int = 12
    ) -> Object:
        """Rounds of the controllers until a certificate is as wanted."""
        for _ in range(most):
            await self.manager.reconcile()
            found = await self.certificate(name)
            if good(found):
                return found
        raise AssertionError(json.dumps(found.get("status"), indent=1))

    async def certificate(self, name: str = "agents-tls") -> Object:
        return await self.api.get(f"{inside(CERTIFICATES, SPACE)}/{name}")

    async def secret(self, name: str = "agents-tls") -> Object | None:
        return await self.api.find(f"{inside(SECRETS, SPACE)}/{name}")

    async def all(self, collection: str) -> list[Object]:
        return list((await self.api.get(inside(collection, SPACE)))["items"])

    async def events(self, name: str) -> list[str]:
        """Reasons of what was said of an object, in order."""
        found = (await self.api.get(f"/api/v1/namespaces/{SPACE}/events"))["items"]
        mine = [one for one in found if one["involvedObject"]["name"] == name]
        ordered = sorted(mine, key=lambda one: int(one["metadata"]["resourceVersion"]))
        return [one["reason"] for one in ordered]


def ready(certificate: Object) -> bool:
    return condition(certificate, "Ready").get("status") == "True" and not condition(certificate, "Issuing")


def certificate(name: str = "agents-tls", **spec: Any) -> Object:
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {
            "secretName": name,
            "dnsNames": ["agents.azure.test"],
            "issuerRef": {"name": "acme", "kind": "ClusterIssuer"},
            **spec,
        },
    }


def issuer(**acme: Any) -> Object:
    ingress = {"ingressClassName": "webapprouting.kubernetes.azure.com"}
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": "acme"},
        "spec": {
            "acme": {
                "server": "https://acme-v02.api.letsencrypt.org/directory",
                "email": "platform@example.com",
                "privateKeySecretRef": {"name": "acme-account"},
                "solvers": [{"http01": {"ingress": ingress}}],
                **acme,
            }
        },
    }


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    try:
        objects = charts.CHARTS[0].objects("cert-manager", {"crds": {"enabled": True}})
    except PlugError as error:
        pytest.skip(str(error))
    tools = {name: tool(name) for name in ("etcd", "kube-apiserver", "kube-controller-manager")}
    made = ControlPlane(tmp_path_factory.mktemp("cluster"), tools)
    try:
        made.start()
        asyncio.run(_prepare(made, objects))
        yield made
    finally:
        made.stop()


async def _prepare(made: ControlPlane, objects: list[Object]) -> None:
    api = TestApi(made)
    for one in objects:
        if one["kind"] == "CustomResourceDefinition":
            await api.post(DEFINITIONS, one)
    now = releases.moment()
    chart = releases.Chart("cert-manager", "v1", "v1")
    release = releases.Release("cm", "cert-manager", chart, {}, "", 1, "deployed", "", now, now)
    await api.post("/api/v1/namespaces", _named("cert-manager"))
    await api.post(inside(SECRETS, "cert-manager"), release.secret())
    for _ in range(100):
        try:
            for collection in WATCHED:
                await api.get(collection)
        except ApiError:
            await asyncio.sleep(0.1)
        else:
            break
    await api.close()


def _named(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.fixture
async def world(control_plane: ControlPlane) -> AsyncIterator[World]:
    """An empty namespace, and controllers of which each round is one call."""
    api, challenges, authority = TestApi(control_plane), Challenges(), fakes.Authority()
    await api.post("/api/v1/namespaces", _named(SPACE))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        host = next(line[6:] for line in head.split("\r\n") if line.lower().startswith("host: "))
        found = challenges.served.get(host, {}).get(path.removeprefix(f"{PATH}/"))
        text, line = (found, "200 OK") if found else ("", "404 Not Found")
        writer.write(
            f"HTTP/1.1 {line}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode()
        )
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    made = World(api, None, challenges, authority, address)  # type: ignore[arg-type]  # next line
    made.manager = CertManager(
        api,
        authority=authority,
        resolve=made.names.get,
        challenges=challenges,
        presented=lambda: None,
        changed=asyncio.Event(),
    )
    made.names["agents.azure.test"] = address
    async with listener:
        yield made
    await made.manager.stop()
    await api.delete(f"/api/v1/namespaces/{SPACE}")
    await api.delete("/apis/cert-manager.io/v1/clusterissuers/acme")
    await api.delete("/api/v1/namespaces/cert-manager/secrets/acme-account")
    await api.close()
    client = control_plane.client()
    gone = lambda: client._request("GET", "/api/v1/namespaces").json()["items"]  # noqa: E731
    until(lambda: all(one["metadata"]["name"] != SPACE for one in gone()), "the namespace to go")
