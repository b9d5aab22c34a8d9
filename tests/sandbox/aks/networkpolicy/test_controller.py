"""Rounds of the controller, and pods that wait for one."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandbox.aks.api import Api, ApiError
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.layout import ClusterLayout
from sandbox.aks.networkpolicy import controller, plugin
from sandbox.aks.networkpolicy.announcements import Announcements
from sandbox.aks.networkpolicy.controller import NetworkPolicies
from sandbox.aks.settings import read_cluster
from sandbox.arm.resource import Resource
from sandbox.config import Config
from sandbox.host import netns
from tests.sandbox.aks.networkpolicy.cluster import Json, pod, policy
from tests.sandbox.aks.objects import cluster_put

A, B = "10.244.0.2", "10.244.0.3"


class _Api:
    def __init__(self, *pods: Json, policies: tuple[Json, ...] = ()) -> None:
        self.items: dict[str, list[Json]] = {
            "/apis/networking.k8s.io/v1/networkpolicies": [*policies],
            "/api/v1/namespaces": [{"metadata": {"name": "agents"}}],
            "/api/v1/pods": [*pods],
        }
        self.failures = 0

    async def get(self, path: str) -> Json:
        if self.failures:
            self.failures -= 1
            raise ApiError(500, "not now")
        return {"items": self.items[path]}


class Stage:
    """A cluster with one node, whose rules are remembered instead of loaded."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: _Api, engine: str) -> None:
        self.loaded: list[str] = []
        self.changed = asyncio.Event()
        layout = ClusterLayout(Config(state=tmp_path, network=IPv4Network("10.77.0.0/16")), "/one", 1)
        node = layout.node("system")
        for one in api.items["/api/v1/pods"]:
            one["spec"]["nodeName"] = node.name
        settings = SimpleNamespace(
            name="one", network_policy=engine, pods=IPv4Network("10.244.0.0/16"), app_routing=True
        )
        plane = SimpleNamespace(layout=layout, settings=settings)
        self.policies = NetworkPolicies(cast("ControlPlane", plane), cast("Api", api), self.changed)
        monkeypatch.setattr(netns, "exists", lambda _: True)
        monkeypatch.setattr(netns, "inode", lambda _: 1)
        monkeypatch.setattr(controller, "run", lambda *_, stdin: self.loaded.append(stdin))


async def test_a_change_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = _Api(pod("a", A), policies=(policy(ingress=[]),))
    stage = Stage(tmp_path, monkeypatch, api, "cilium")
    for _ in range(2):
        await stage.policies.reconcile()
    assert len(stage.loaded) == 1
    assert f"{A} : jump ingress_10_244_0_2" in stage.loaded[0]
    api.items["/apis/networking.k8s.io/v1/networkpolicies"] = []
    await stage.policies.reconcile()
    assert len(stage.loaded) == 2
    assert "jump ingress" not in stage.loaded[1]


async def test_the_ingress_controller_is_a_pod_to_policies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "app-routing-system"}}}
    api = _Api(pod("a", A), policies=(policy(ingress=[{"from": [peer]}]),))
    names = {"kubernetes.io/metadata.name": "app-routing-system"}
    api.items["/api/v1/namespaces"].append({"metadata": {"name": "app-routing-system", "labels": names}})
    stage = Stage(tmp_path, monkeypatch, api, "cilium")
    await stage.policies.reconcile()
    assert "ip saddr { 10.244.0.254 } return" in stage.loaded[0]


@pytest.mark.parametrize(("engine", "inside"), [("cilium", True), ("azure", False)])
async def test_only_cilium_keeps_blocks_from_meaning_pods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, inside: bool
) -> None:
    everywhere = policy(egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])
    stage = Stage(tmp_path, monkeypatch, _Api(pod("a", A), policies=(everywhere,)), engine)
    await stage.policies.reconcile()
    assert ("ip daddr != { 10.77.1.11/32, 10.244.0.0/16 } return" in stage.loaded[0]) == inside


async def test_without_an_engine_policies_are_only_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, monkeypatch, _Api(pod("a", A), policies=(policy(ingress=[]),)), "")
    assert stage.policies.watched == ()
    await stage.policies.reconcile()
    assert "hook" not in stage.loaded[0]


@pytest.mark.parametrize(
    ("network", "engine"),
    [
        ({}, None),
        ({"networkPolicy": "none"}, None),
        ({"networkPolicy": "azure"}, "azure"),
        ({"networkPolicy": "cilium"}, "cilium"),
        ({"networkDataplane": "cilium"}, "cilium"),
    ],
)
def test_the_clusters_profile_says_who_enforces(network: Json, engine: str | None) -> None:
    put = cluster_put()
    body = {
        **put.body,
        "properties": {
            "fqdn": "one",
            "nodeResourceGroup": "mc",
            "currentKubernetesVersion": "1.34.4",
            "networkProfile": {"serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.0.0.10", **network},
        },
    }
    settings = read_cluster(Resource(put.id, body, 0.0, 0.0), issuer="https://x/", tenant="t")
    assert settings.network_policy == engine


# Announcements.


async def _plugin(socket: Path, uid: str, address: str, command: str = "ADD") -> asyncio.subprocess.Process:
    config = {
        "cniVersion": "0.4.0",
        "name": "azure",
        "type": "network-policy",
        "socket": str(socket),
        "prevResult": {"cniVersion": "0.4.0", "ips": [{"address": f"{address}/24", "version": "4"}]},
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(Path(plugin.__file__))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "CNI_COMMAND": command, "CNI_ARGS": f"IgnoreUnknown=1;K8S_POD_UID={uid}"},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(config).encode())
    process.stdin.close()
    return process


async def _said(process: asyncio.subprocess.Process) -> tuple[int, Any]:
    out, _ = await process.communicate()
    return process.returncode or 0, json.loads(out) if out.strip() else None


async def test_a_pod_waits_until_its_rules_are_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = pod("new", B)
    del new["status"]["podIP"], new["status"]["podIPs"]
    api = _Api(new, policies=(policy(egress=[]),))
    stage = Stage(tmp_path, monkeypatch, api, "cilium")
    socket = tmp_path / "s"
    async with stage.policies._announcements.listening(socket):
        assert socket.stat().st_mode & 0o777 == 0o600
        process = await _plugin(socket, "new", B)
        async with asyncio.timeout(10):
            await stage.changed.wait()
        assert process.returncode is None
        api.failures = 1
        with pytest.raises(ApiError):
            await stage.policies.reconcile()
        await stage.policies.reconcile()
        code, answer = await _said(process)
    assert (code, answer["ips"][0]["address"]) == (0, f"{B}/24")
    assert f"{B} : jump egress_10_244_0_3" in stage.loaded[-1]


async def test_without_a_controller_a_pod_is_not_ready(tmp_path: Path) -> None:
    code, answer = await _said(await _plugin(tmp_path / "none", "new", B))
    assert code == 1
    assert "cannot be put in force" in answer["msg"]
    assert await _said(await _plugin(tmp_path / "none", "new", B, "DEL")) == (0, None)
    code, answer = await _said(await _plugin(tmp_path / "none", "new", B, "VERSION"))
    assert code == 0
    assert "0.4.0" in answer["supportedVersions"]


async def test_an_announcement_counts_until_the_status_says_the_same() -> None:
    announced = Announcements(asyncio.Event())
    announced.addresses = {"same": IPv4Address(A), "newer": IPv4Address(B), "gone": IPv4Address(A)}
    this = announced.begin()
    announced.addresses["after"] = IPv4Address(A)
    announced.forget(this, [pod("same", A), pod("newer", A)])
    assert set(announced.addresses) == {"newer", "after"}
