"""A closed registry, account and cluster in a network of their own, asked from inside and from outside."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.config import Config
from tests.sandboxed import Sandbox
from tests.waiting import until

GROUP, NETWORK, CLUSTER, REGISTRY, ACCOUNT = (
    "rg-network-trial",
    "vnet-network-trial",
    "aks-network-trial",
    "acrnetworktrial",
    "stnetworktrial",
)
HERE = ("-g", GROUP)
SUFFIX = Config().suffix
BLOB = f"{ACCOUNT}.blob.storage.{SUFFIX}"
IMAGE = f"{REGISTRY}.azurecr.{SUFFIX}/client:1"
#: Prints what a name means, and the status and body of an HTTPS request; without one, why there is none.
ASK = textwrap.dedent(
    """
    import http.client, json, socket, ssl, sys
    host, path = sys.argv[1:3]
    found = {"address": None, "status": None, "text": None}
    try:
        found["address"] = socket.gethostbyname(host)
        asking = http.client.HTTPSConnection(host, timeout=5, context=ssl._create_unverified_context())
        asking.request("GET", path)
        answer = asking.getresponse()
        found |= {"status": answer.status, "text": answer.read(2000).decode(errors="replace")}
    except OSError as error:
        found["text"] = repr(error)
    print(json.dumps(found))
    """
)


@dataclass(frozen=True)
class Answer:
    address: str | None
    status: int | None
    text: str


@dataclass(frozen=True)
class Stage:
    """`sandbox` speaks to the cluster as its administrator."""

    sandbox: Sandbox
    id: str

    def apply(self, *documents: dict[str, Any]) -> None:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
        self.sandbox.run("kubectl", "apply", "-f", "-", stdin=text)

    def kubectl(self, *arguments: str, **options: Any) -> str:
        return self.sandbox.kubectl(*arguments, **options)

    def from_pod(self, host: str, path: str = "/", *, pod: str = "client") -> Answer:
        return answer_of(self.kubectl("exec", pod, "--", "python3", "-c", ASK, host, path))

    def from_host(self, host: str, path: str = "/") -> Answer:
        return answer_of(self.sandbox.run("python3", "-c", ASK, host, path).out)

    def from_internet(self, host: str, path: str = "/") -> Answer:
        command = ("uv", "run", "sandbox", "internet", "--", "python3", "-c", ASK, host, path)
        return answer_of(self.sandbox.run(*command).out)


def answer_of(text: str) -> Answer:
    found = json.loads(text.strip().splitlines()[-1])
    return Answer(found["address"], found["status"], found["text"] or "")


def client(
    name: str, namespace: str = "default", command: str | None = None, **labels: str
) -> dict[str, Any]:
    wanted = ["python3", "-c", command] if command else ["sleep", "infinity"]
    container = {"name": "main", "image": IMAGE, "command": wanted}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "containers": [container],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
        },
    }


def policy(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, **spec},
    }


def push_image(sandbox: Sandbox, folder: Path) -> None:
    """Built by a machine in the network: nothing else can push into the registry."""
    (folder / "Dockerfile").write_text("FROM python:3.11-slim-bookworm\n")
    build = ("az", "acr", "build", "-r", REGISTRY, "-t", "client:1", str(folder))
    refused = sandbox.run(*build, check=False, timeout=600)
    assert refused.code != 0
    assert "is not allowed access" in refused.out + refused.err
    group = sandbox.az("group", "show", "-n", GROUP)["id"]
    subnet = f"{group}/providers/Microsoft.Network/virtualNetworks/{NETWORK}/subnets/nodes"
    pool = sandbox.az(
        *("acr", "agentpool", "create", "-r", REGISTRY, "-n", "builds", "--tier", "S1"), "--subnet-id", subnet
    )
    assert pool["provisioningState"] == "Succeeded"
    sandbox.run(*build, "--agent-pool", "builds", timeout=600)


def create_cluster(sandbox: Sandbox) -> None:
    group = sandbox.az("group", "show", "-n", GROUP)["id"]
    provider = f"{group}/providers"
    body = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "dnsPrefix": CLUSTER,
            "agentPoolProfiles": [
                {
                    "name": "system",
                    "mode": "System",
                    "vmSize": "Standard_D2s_v5",
                    "count": 1,
                    "vnetSubnetID": f"{provider}/Microsoft.Network/virtualNetworks/{NETWORK}/subnets/nodes",
                }
            ],
            "apiServerAccessProfile": {
                "enablePrivateCluster": True,
                "enablePrivateClusterPublicFQDN": False,
                "privateDNSZone": "system",
            },
            "networkProfile": {
                "networkPlugin": "azure",
                "networkPluginMode": "overlay",
                "networkDataplane": "cilium",
                "networkPolicy": "cilium",
            },
        },
    }
    id_ = f"{provider}/Microsoft.ContainerService/managedClusters/{CLUSTER}"
    url = f"https://management.{SUFFIX}{id_}?api-version=2025-09-01"
    sandbox.az("rest", "-m", "put", "-u", url, "-b", json.dumps(body))
    show = ("aks", "show", *HERE, "-n", CLUSTER)
    state = until(lambda: sandbox.az(*show)["provisioningState"], lambda one: one != "Creating", 400)
    assert state == "Succeeded"


def connect(sandbox: Sandbox, service: str, target: str, zone: str) -> None:
    """A private endpoint with a zone group, in a zone that is linked to the network."""
    endpoint(sandbox, service, target)
    name = f"privatelink.{zone}"
    sandbox.az("network", "private-dns", "zone", "create", *HERE, "-n", name)
    link = ("-z", name, "-n", "trial", "-v", NETWORK, "-e", "false")
    sandbox.az("network", "private-dns", "link", "vnet", "create", *HERE, *link)
    zone_group(sandbox, service, name)


def endpoint(sandbox: Sandbox, service: str, target: str) -> None:
    where = ("--vnet-name", NETWORK, "--subnet", "endpoints", "--connection-name", service)
    leads = ("--private-connection-resource-id", target, "--group-id", service)
    sandbox.az("network", "private-endpoint", "create", *HERE, "-n", f"pe-{service}", *where, *leads)


def zone_group(sandbox: Sandbox, service: str, zone: str) -> None:
    where = ("--endpoint-name", f"pe-{service}", "-n", "default", "--zone-name", "one")
    given = (*HERE, *where, "--private-dns-zone", zone)
    sandbox.az("network", "private-endpoint", "dns-zone-group", "create", *given)


# The cluster.
