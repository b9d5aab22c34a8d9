"""The kernel's own opinion of the rules: it takes every script, and packets fare as the small interpreter
says."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest

from sandbox.aks.networkpolicy import objects, rendering
from sandbox.aks.networkpolicy.isolation import Cluster
from sandbox.aks.networkpolicy.rendering import NodeRules
from sandbox.host import netns
from sandbox.host.command import ip, run
from tests.sandbox.aks.networkpolicy.cluster import NODES, PODS, pod, policy
from tests.sandbox.aks.networkpolicy.specification import Packet, World

pytestmark = pytest.mark.live

A, B, OUT = "10.244.0.2", "10.244.0.3", "192.0.2.1"
NAMESPACES: dict[str, dict[str, str]] = {"agents": {}}
_SERVE = """
import socket, sys
listening = [socket.create_server((sys.argv[1], int(port))) for port in sys.argv[2:]]
print("ready", flush=True)
sys.stdin.read()
"""
_CALL = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1).close()
    print("through")
except OSError:
    print("stopped")
"""


class Machine:
    """A node with two pods and somebody outside, as namespaces."""

    def __init__(self) -> None:
        self.prefix = f"np-{uuid.uuid4().hex[:6]}"
        self.node = f"{self.prefix}-node"
        netns.create(self.node)
        netns.set_sysctl(self.node, "net.ipv4.ip_forward", "1")
        self._served: list[subprocess.Popen[bytes]] = []
        for number, address in enumerate((A, B, OUT)):
            self._pod(number, address)

    def name(self, address: str) -> str:
        return f"{self.prefix}-{address.replace('.', '-')}"

    def _pod(self, number: int, address: str) -> None:
        name, link = self.name(address), f"veth{number}"
        netns.create(name)
        ip("-n", self.node, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
        for namespace, device, own in ((self.node, link, "10.244.0.1"), (name, "eth0", address)):
            ip("-n", namespace, "address", "add", f"{own}/32", "dev", device)
            ip("-n", namespace, "link", "set", device, "up")
        ip("-n", self.node, "route", "add", f"{address}/32", "dev", link)
        ip("-n", name, "route", "add", "10.244.0.1/32", "dev", "eth0")
        ip("-n", name, "route", "add", "default", "via", "10.244.0.1", "dev", "eth0")
        process = subprocess.Popen(
            [*self._enter(name), sys.executable, "-S", "-c", _SERVE, address, "80", "443"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        self._served.append(process)

    def _enter(self, namespace: str) -> list[str]:
        return ["nsenter", f"--net={netns.path(namespace)}"]

    def load(self, script: str) -> None:
        done = subprocess.run(
            [*self._enter(self.node), "nft", "-f", "-"],
            input=script,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + script

    def through(self, source: str | None, target: str, port: int) -> bool:
        """None is the node itself."""
        enter = self._enter(self.name(source) if source else self.node)
        call = [sys.executable, "-S", "-c", _CALL, target, str(port)]
        return run([*enter, *call]).strip() == "through"

    def remove(self) -> None:
        for process in self._served:
            process.kill()
            process.wait()
        for name in (*map(self.name, (A, B, OUT)), self.node):
            netns.remove(name)


@pytest.fixture(scope="module")
def node() -> Iterator[Machine]:
    made = Machine()
    yield made
    made.remove()


def world(*policies: dict[str, Any]) -> World:
    pods = [
        pod("a", A, app="a", ports=[{"name": "web", "containerPort": 80}]),
        pod("b", B, app="b", ports=[{"name": "web", "containerPort": 443}]),
    ]
    return World(pods, NAMESPACES, [*policies])


def script(made: World, *, hosted: tuple[IPv4Address, ...] = ()) -> str:
    cluster = Cluster(
        (objects.pods(made.pods, {})),
        made.namespaces,
        [objects.policy(one) for one in made.policies],
        (PODS,),
    )
    return rendering.render(NodeRules("one", NODES["one"], hosted), cluster)


POLICIES: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "deny all": [policy(ingress=[], egress=[])],
    "out by name": [policy({"matchLabels": {"app": "a"}}, egress=[{"ports": [{"port": "web"}]}])],
    "in from one": [policy(ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "b"}}}]}])],
    "outside only": [
        policy(
            egress=[
                {
                    "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["192.0.2.128/25"]}}],
                    "ports": [{"port": 443}, {"port": 8000, "endPort": 9000}, {"protocol": "UDP"}],
                }
            ]
        )
    ],
    "every protocol": [policy(ingress=[{"ports": [{"protocol": "SCTP"}, {"protocol": "TCP", "port": 80}]}])],
}


@pytest.mark.parametrize("name", POLICIES)
def test_packets_fare_as_the_specification_says(node: Machine, name: str) -> None:
    made = world(*POLICIES[name])
    node.load(script(made, hosted=(IPv4Address("10.244.0.254"),)))
    for source, target in ((A, B), (B, A), (A, OUT), (OUT, A)):
        for port in (80, 443):
            expected = made.passes(Packet(source, target, "TCP", port))
            assert node.through(source, target, port) == expected, (source, target, port)
    # Probes of the node's kubelet.
    assert node.through(None, A, 80)


def test_a_pod_that_is_not_known_is_closed(node: Machine) -> None:
    made = world()
    made.pods.pop()
    node.load(script(made))
    assert not node.through(B, OUT, 80)
    assert not node.through(A, B, 80)
    assert node.through(A, OUT, 80)


def test_the_rules_go_as_they_came(node: Machine) -> None:
    node.load(script(world(policy(ingress=[], egress=[]))))
    node.load(rendering.none())
    assert node.through(A, B, 80)
