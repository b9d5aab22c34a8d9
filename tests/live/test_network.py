"""Networks that say no: a private cluster, a registry and an account that are closed to the public, and pods
behind network policies; asked from inside, from the host and from the internet."""

from __future__ import annotations

import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.config import Config
from sandbox.network import addresses
from tests.live.closed_network import (
    ACCOUNT,
    ASK,
    BLOB,
    CLUSTER,
    GROUP,
    HERE,
    IMAGE,
    NETWORK,
    REGISTRY,
    SUFFIX,
    Answer,
    Stage,
    answer_of,
    client,
    connect,
    create_cluster,
    policy,
    push_image,
    zone_group,
)
from tests.sandboxed import Sandbox
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def stage(bare_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    az, folder = bare_sandbox.az, tmp_path_factory.mktemp("network")
    az("group", "create", "-n", GROUP, "-l", "westeurope")
    # The address plan of every environment of the program: another network may have the same one.
    az("network", "vnet", "create", *HERE, "-n", NETWORK, "--address-prefixes", "10.240.0.0/16")
    for name, prefix in (("nodes", "10.240.0.0/20"), ("endpoints", "10.240.16.0/24")):
        where = (*HERE, "--vnet-name", NETWORK, "-n", name)
        az("network", "vnet", "subnet", "create", *where, "--address-prefixes", prefix)
    registry = az("acr", "create", *HERE, "-n", REGISTRY, "--sku", "Premium")
    closed = ("--public-network-access", "Disabled")
    account = az("storage", "account", "create", *HERE, "-n", ACCOUNT, *closed)
    az("acr", "update", "-n", REGISTRY, "--public-network-enabled", "false")
    connect(bare_sandbox, "registry", registry["id"], f"azurecr.{SUFFIX}")
    push_image(bare_sandbox, folder)
    create_cluster(bare_sandbox)
    cluster = az("aks", "show", *HERE, "-n", CLUSTER)
    kubelet = cluster["identityProfile"]["kubeletidentity"]["objectId"]
    grantee = ("--assignee-object-id", kubelet, "--assignee-principal-type", "ServicePrincipal")
    az("role", "assignment", "create", *grantee, "--role", "AcrPull", "--scope", registry["id"])
    kubeconfig = folder / "admin"
    mine = Sandbox({**bare_sandbox.env, "KUBECONFIG": str(kubeconfig)})
    mine.az("aks", "get-credentials", *HERE, "-n", CLUSTER, "--admin", "-f", str(kubeconfig))
    made = Stage(mine, account["id"])
    made.apply(client("client"))
    made.kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=120s")
    yield made
    az("group", "delete", "-n", GROUP, "--yes")
    left = Path("/etc/hosts").read_text()
    assert not [name for name in (REGISTRY, ACCOUNT, CLUSTER) if f"{name}." in left or f"{name}-" in left]


def test_a_private_cluster_has_no_public_name(stage: Stage) -> None:
    shown = stage.sandbox.az("aks", "show", *HERE, "-n", CLUSTER)
    assert shown["fqdn"] is None
    assert shown["privateFqdn"].endswith(f".privatelink.westeurope.azmk8s.{SUFFIX}")
    assert stage.from_host(shown["privateFqdn"], "/version").status in {200, 401}
    outside = stage.from_internet(shown["privateFqdn"], "/version")
    assert (outside.address, outside.status) == (None, None)


def test_its_api_server_answers_nobody_on_the_internet(stage: Stage) -> None:
    address = stage.from_host(stage.sandbox.az("aks", "show", *HERE, "-n", CLUSTER)["privateFqdn"]).address
    assert address is not None
    assert stage.from_internet(address, "/version").status is None
    assert stage.from_pod(address, "/version").status in {200, 401, 403}


# Services that are closed to the public.


def test_a_closed_registry_builds_and_serves_its_network(stage: Stage) -> None:
    """That the client runs at all says that the node pulled its image through the endpoint."""
    registry = IMAGE.partition("/")[0]
    inside, joined, outside = (
        ask(registry, "/v2/") for ask in (stage.from_pod, stage.from_host, stage.from_internet)
    )
    assert inside.status == joined.status == 401
    assert str(inside.address).startswith("10.240.16.")
    assert outside.status == 403
    assert f"client with IP '{addresses.INTERNET_CLIENT}' is not allowed access" in outside.text
    assert outside.address == str(addresses.SERVICES)


def test_an_account_is_reached_as_soon_and_as_long_as_there_is_a_way(stage: Stage) -> None:
    az, zone = stage.sandbox.az, f"privatelink.blob.storage.{SUFFIX}"
    asks = (stage.from_pod, stage.from_host)

    def closed() -> None:
        for ask in (*asks, stage.from_internet):
            answer = ask(BLOB, "/?comp=list")
            assert answer.status == 403
            assert "AuthorizationFailure" in answer.text

    closed()
    connect(stage.sandbox, "blob", stage.id, f"blob.storage.{SUFFIX}")

    def opened() -> None:
        # Names are kept for some seconds; without a token, whoever is let in is asked for one.
        for ask in asks:
            until(lambda ask=ask: ask(BLOB, "/?comp=list").status, lambda status: status == 401, 15)  # type: ignore[misc]
        assert stage.from_internet(BLOB, "/?comp=list").status == 403

    opened()
    assert str(stage.from_pod(BLOB).address).startswith("10.240.16.")
    group = (*HERE, "--endpoint-name", "pe-blob", "-n", "default")
    az("network", "private-endpoint", "dns-zone-group", "delete", *group)
    until(lambda: stage.from_pod(BLOB).address, lambda one: one == str(addresses.SERVICES), 20)
    closed()
    zone_group(stage.sandbox, "blob", zone)
    opened()
    az("network", "private-dns", "link", "vnet", "delete", *HERE, "-z", zone, "-n", "trial", "--yes")
    until(lambda: stage.from_pod(BLOB).address, lambda one: one == str(addresses.SERVICES), 20)
    closed()


# Pods behind policies.

NAMESPACE = "closed"
TO_DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}
TO_PUBLIC = {
    "to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "192.168.0.0/16"]}}],
    "ports": [{"protocol": "TCP", "port": 443}],
}
TO_ENDPOINTS = {"to": [{"ipBlock": {"cidr": "10.240.16.0/24"}}], "ports": [{"port": 443}]}


@pytest.fixture(scope="module")
def closed(stage: Stage) -> Iterator[Stage]:
    """A namespace with a default deny and one client."""
    stage.kubectl("create", "namespace", NAMESPACE)
    stage.apply(policy("deny", NAMESPACE, policyTypes=["Ingress", "Egress"]), client("client", NAMESPACE))
    stage.kubectl("wait", "--for=condition=Ready", "pod/client", "-n", NAMESPACE, "--timeout=60s")
    yield stage
    stage.kubectl("delete", "namespace", NAMESPACE)


def ask(stage: Stage, host: str, path: str = "/") -> Answer:
    command = ("exec", "client", "-n", NAMESPACE, "--", "python3", "-c", ASK, host, path)
    return answer_of(stage.kubectl(*command))


def test_what_no_policy_lets_out_does_not_get_out(
    closed: Stage, record_property: Callable[..., None]
) -> None:
    login, registry = f"login.{SUFFIX}", IMAGE.partition("/")[0]
    assert ask(closed, str(addresses.SERVICES)).status is None
    assert ask(closed, login).address is None
    closed.apply(policy("dns", NAMESPACE, policyTypes=["Egress"], egress=[TO_DNS]))
    until(lambda: ask(closed, login).address, lambda one: one == str(addresses.SERVICES), 10)
    assert ask(closed, login).status is None
    began = time.monotonic()
    closed.apply(policy("public", NAMESPACE, policyTypes=["Egress"], egress=[TO_PUBLIC]))
    until(lambda: ask(closed, login).status, lambda status: status is not None, 10)
    record_property("seconds until a new policy lets out", round(time.monotonic() - began, 1))
    # An endpoint is a private address: the way to the public does not lead there.
    assert ask(closed, registry, "/v2/").status is None
    closed.apply(policy("endpoints", NAMESPACE, policyTypes=["Egress"], egress=[TO_ENDPOINTS]))
    until(lambda: ask(closed, registry, "/v2/").status, lambda status: status == 401, 10)
    closed.kubectl("delete", "networkpolicy", "-n", NAMESPACE, "dns", "public", "endpoints")
    until(lambda: ask(closed, str(addresses.SERVICES)).status, lambda status: status is None, 10)


def test_a_pod_is_closed_from_its_first_moment(closed: Stage) -> None:
    """It tries from the instant it starts, before its address is in its status."""
    attempts = textwrap.dedent(
        f"""
        import socket, time
        through, end = 0, time.monotonic() + 4
        while time.monotonic() < end:
            try:
                socket.create_connection(("{addresses.SERVICES}", 443), timeout=0.2).close()
                through += 1
            except OSError:
                time.sleep(0.02)
        print("connections:", through)
        """
    )
    closed.apply(client("eager", NAMESPACE, attempts), client("eager", "default", attempts))

    def said(namespace: str) -> str:
        return closed.kubectl("logs", "eager", "-n", namespace, check=False)

    assert until(lambda: said(NAMESPACE), lambda text: "connections" in text) == "connections: 0\n"
    text = until(lambda: said("default"), lambda text: "connections" in text)
    assert int(text.split()[-1]) > 0
    closed.kubectl("delete", "pod", "eager", "-n", "default")


def test_what_no_policy_lets_in_does_not_get_in(closed: Stage) -> None:
    serve = "import http.server as s; s.test(s.SimpleHTTPRequestHandler, port=8000)"
    server = client("server", NAMESPACE, serve, app="server")
    server["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 8000}, "periodSeconds": 1}
    closed.apply(server)
    # The node's own probes always reach it.
    closed.kubectl("wait", "--for=condition=Ready", "pod/server", "-n", NAMESPACE, "--timeout=60s")
    where = closed.kubectl("get", "pod", "server", "-n", NAMESPACE, "-o", "jsonpath={.status.podIP}")
    call = f"import socket; socket.create_connection(('{where}', 8000), timeout=2); print('through')"

    def gets_in() -> bool:
        command = ("exec", "client", "--", "python3", "-c", call)
        return "through" in closed.sandbox.run("kubectl", *command, check=False).out

    assert not gets_in()
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}
    rule = {"from": [peer], "ports": [{"port": 8000}]}
    selector = {"matchLabels": {"app": "server"}}
    closed.apply(policy("in", NAMESPACE, podSelector=selector, policyTypes=["Ingress"], ingress=[rule]))
    until(gets_in, bool, 10)
    closed.kubectl("delete", "networkpolicy", "in", "-n", NAMESPACE)
    until(gets_in, lambda reached: not reached, 10)


def test_nothing_private_is_known_on_the_internet(stage: Stage) -> None:
    """It has other names and other ways than the host, whose files it shares."""
    hosts = stage.sandbox.run("uv", "run", "sandbox", "internet", "--", "cat", "/etc/hosts").out
    assert hosts == "127.0.0.1 localhost\n"
    joined = stage.from_host(IMAGE.partition("/")[0]).address
    assert joined is not None
    assert stage.from_internet(joined).status is None
    assert stage.from_internet(str(Config().host_address)).status is None
    done = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    assert f"{Config().netns}.internet" in done
