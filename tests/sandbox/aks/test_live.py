"""A cluster of the tests' own on the running sandbox, from its PUT to its last trace, by az and kubectl."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.aks import cgroups, layout
from sandbox.aks.layout import ClusterLayout
from sandbox.aks.mounts import processes as mount_namespace_processes
from sandbox.config import Config
from sandbox.host import mounts
from sandbox.network import addresses
from tests.sandbox.aks import ask_dns
from tests.sandboxed import Sandbox
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

GROUP, NAME, REGISTRY = "rg-aks-trial", "aks-trial", "acrakstrial"
SUFFIX = Config().suffix
HERE = ("-g", GROUP, "-n", NAME)
POOLS = ("-g", GROUP, "--cluster-name", NAME)
#: An image that every node holds.
COREDNS = "registry.k8s.io/coredns/coredns:v1.14.7"
CLASS = "webapprouting.kubernetes.azure.com"


@dataclass(frozen=True)
class Trial:
    """`sandbox` speaks to the cluster as its administrator."""

    sandbox: Sandbox
    id: str
    layout: ClusterLayout
    seconds: float

    def apply(self, *documents: dict[str, Any]) -> None:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
        self.sandbox.run("kubectl", "apply", "-f", "-", stdin=text)

    def kubectl(self, *arguments: str, **options: Any) -> str:
        return self.sandbox.kubectl(*arguments, **options)


def traces(cluster: ClusterLayout) -> list[str]:
    """What of a cluster is on the machine outside its state folder."""
    namespaces = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout.split()
    cgroups = Path("/sys/fs/cgroup").glob(f"*/{cluster.config.cgroup}/aks{cluster.number}-*")
    return [
        *(name for name in namespaces if name.startswith(cluster.netns)),
        *(str(path) for path in mounts.below(cluster.folder)),
        *(str(path) for path in cgroups),
    ]


@pytest.fixture(scope="module")
def trial(bare_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    az = bare_sandbox.az
    az("group", "create", "-n", GROUP, "-l", "westeurope")
    body = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "dnsPrefix": NAME,
            "agentPoolProfiles": [
                {"name": "system", "mode": "System", "vmSize": "Standard_D2s_v5", "count": 1}
            ],
            "aadProfile": {"managed": True, "enableAzureRBAC": True},
            "oidcIssuerProfile": {"enabled": True},
            "securityProfile": {"workloadIdentity": {"enabled": True}},
            "ingressProfile": {"webAppRouting": {"enabled": True}},
        },
    }
    group = az("group", "show", "-n", GROUP)["id"]
    id_ = f"{group}/providers/Microsoft.ContainerService/managedClusters/{NAME}"
    url = f"https://management.{SUFFIX}{id_}?api-version=2025-09-01"
    started = time.monotonic()
    az("rest", "-m", "put", "-u", url, "-b", json.dumps(body))
    state = until(lambda: az("aks", "show", *HERE)["provisioningState"], lambda one: one != "Creating", 300)
    seconds = time.monotonic() - started
    assert state == "Succeeded"
    kubeconfig = tmp_path_factory.mktemp("kubeconfig") / "admin"
    mine = Sandbox({**bare_sandbox.env, "KUBECONFIG": str(kubeconfig)})
    mine.az("aks", "get-credentials", *HERE, "--admin", "-f", str(kubeconfig))
    cluster = layout.find(Config(), id_)
    assert cluster is not None
    yield Trial(mine, id_, cluster, seconds)
    az("aks", "delete", *HERE, "--yes")
    assert traces(cluster) == []
    assert layout.find(Config(), id_) is None
    groups = [one["name"] for one in az("group", "list")]
    assert not [name for name in groups if name.startswith(f"MC_{GROUP}")]
    az("group", "delete", "-n", GROUP, "--yes")


def test_a_cluster_is_ready_when_its_put_ends(trial: Trial, record_property: Callable[..., None]) -> None:
    record_property("seconds from PUT to Ready", round(trial.seconds, 1))
    nodes = json.loads(trial.kubectl("get", "nodes", "-o", "json"))["items"]
    assert len(nodes) == 1
    assert nodes[0]["metadata"]["labels"]["kubernetes.azure.com/mode"] == "system"
    assert nodes[0]["spec"]["podCIDR"] == "10.244.0.0/24"
    assert nodes[0]["spec"]["providerID"].startswith("azure:///subscriptions/")
    for name in ("coredns", "metrics-server"):
        trial.kubectl("-n", "kube-system", "rollout", "status", f"deploy/{name}", "--timeout=120s")


def test_kubectl_works_as_on_any_cluster(trial: Trial) -> None:
    trial.kubectl("create", "deployment", "one", f"--image={COREDNS}", "--", "/coredns", "-dns.port=1053")
    trial.kubectl("rollout", "status", "deploy/one", "--timeout=90s")
    assert "CoreDNS" in until(
        lambda: trial.kubectl("logs", "deploy/one"), lambda text: "CoreDNS" in text, 120
    )
    assert "CoreDNS" in trial.kubectl("exec", "deploy/one", "--", "/coredns", "-version")
    trial.kubectl("scale", "deploy/one", "--replicas=2")
    trial.kubectl("rollout", "status", "deploy/one", "--timeout=90s")
    trial.kubectl("set", "env", "deploy/one", "A=b")
    trial.kubectl("rollout", "status", "deploy/one", "--timeout=90s")
    trial.kubectl("set", "image", "deploy/one", "coredns=registry.k8s.io/none:none")
    until(
        lambda: trial.kubectl("get", "pods", "-l", "app=one"),
        lambda text: "ErrImagePull" in text or "ImagePullBackOff" in text,
        120,
    )
    trial.kubectl("rollout", "undo", "deploy/one")
    trial.kubectl("rollout", "status", "deploy/one", "--timeout=90s")
    assert "Normal" in trial.kubectl("describe", "deploy/one")
    trial.kubectl("delete", "deploy", "one", "--wait=true")


def test_top_measures(trial: Trial) -> None:
    def top(kind: str) -> str:
        return trial.sandbox.run("kubectl", "top", kind, "-n", "kube-system", check=False).out

    assert "aks-system" in until(lambda: top("nodes"), lambda text: "aks-system" in text, 120)
    assert "coredns" in until(lambda: top("pods"), lambda text: "coredns" in text, 120)


def test_azure_rbac_decides_what_a_user_may(trial: Trial, tmp_path: Path) -> None:
    user = Sandbox({**trial.sandbox.env, "KUBECONFIG": str(tmp_path / "user")})
    user.az("aks", "get-credentials", *HERE, "-f", str(tmp_path / "user"))
    refused = user.run("kubectl", "get", "pods", "-n", "kube-system", check=False)
    assert refused.code != 0
    assert "Microsoft.ContainerService/managedClusters/pods/read" in refused.err
    me = user.az("ad", "sp", "show", "--id", user.env["AZURE_CLIENT_ID"])["id"]
    role = ("--role", "Azure Kubernetes Service RBAC Reader", "--scope", f"{trial.id}/namespaces/kube-system")
    grantee = ("--assignee-object-id", me, "--assignee-principal-type", "ServicePrincipal")
    made = user.az("role", "assignment", "create", *grantee, *role)

    def pods() -> str:
        return user.run("kubectl", "get", "pods", "-n", "kube-system", check=False).out

    assert "coredns" in until(pods, lambda text: "coredns" in text, 30)
    assert user.run("kubectl", "get", "pods", "-n", "default", check=False).code != 0
    assert user.run("kubectl", "delete", "pods", "--all", "-n", "kube-system", check=False).code != 0
    user.az("role", "assignment", "delete", "--ids", made["id"])


def test_a_pool_is_a_node_with_its_labels_and_taints(trial: Trial) -> None:
    az = trial.sandbox.az
    add = ("--node-count", "3", "--labels", "team=x", "--node-taints", "only=x:NoSchedule")
    made = az("aks", "nodepool", "add", *POOLS, "-n", "user", "--mode", "User", *add)
    assert "1 of 3 nodes run" in made["status"]["provisioningError"]["message"]
    node = json.loads(trial.kubectl("get", "nodes", "-l", "agentpool=user", "-o", "json"))["items"][0]
    assert node["metadata"]["labels"]["team"] == "x"
    assert {"key": "only", "value": "x", "effect": "NoSchedule"} in node["spec"]["taints"]
    az("aks", "nodepool", "update", *POOLS, "-n", "user", "--labels", "team=y", "--node-taints", "")
    node = json.loads(trial.kubectl("get", "nodes", "-l", "team=y", "-o", "json"))["items"][0]
    assert "only" not in json.dumps(node["spec"].get("taints") or [])


def _pod(name: str, pool: str, *command: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "nodeSelector": {"agentpool": pool},
            "tolerations": [{"operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": COREDNS, "command": list(command)}],
        },
    }


def _service(name: str, kind: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"type": kind, "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 9153}]},
    }


@pytest.fixture(scope="module")
def web(trial: Trial) -> None:
    """A pod on the second node that serves its metrics over HTTP, a service, and an Ingress for it."""
    corefile = {"Corefile": ".:1053 {\n prometheus :9153\n whoami\n}\n"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": corefile}
    pod = _pod("web", "user", "/coredns", "-conf", "/etc/web/Corefile")
    pod["spec"]["volumes"] = [{"name": "web", "configMap": {"name": "web"}}]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "web", "mountPath": "/etc/web"}]
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {
        "host": f"trial.{SUFFIX}",
        "http": {"paths": [{"path": "/metrics", "pathType": "Prefix", "backend": backend}]},
    }
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "much"}},
        "spec": {
            "ingressClassName": CLASS,
            "tls": [{"hosts": [f"trial.{SUFFIX}"], "secretName": "later"}],
            "rules": [rule],
        },
    }
    if not trial.kubectl("get", "nodes", "-l", "agentpool=user", "-o", "name"):
        trial.sandbox.az("aks", "nodepool", "add", *POOLS, "-n", "user", "--mode", "User")
    trial.apply(config, pod, _service("web", "LoadBalancer"), ingress)
    trial.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=120s")


def _curl(trial: Trial, address: str, url: str) -> str:
    host = url.partition("://")[2].partition("/")[0]
    resolve = [part for port in (80, 443) for part in ("--resolve", f"{host}:{port}:{address}")]
    return trial.sandbox.run("curl", "-s", "-m", "10", "-w", "\n%{http_code}", *resolve, url, check=False).out


def _address(trial: Trial, *what: str) -> str:
    path = "jsonpath={.status.loadBalancer.ingress[0].ip}"
    return until(lambda: trial.kubectl("get", *what, "-o", path), bool, 60)


def test_a_load_balancer_leads_to_a_pod_on_any_node(trial: Trial, web: None) -> None:
    address = _address(trial, "service", "web")
    assert address != _address(trial, "service", "nginx", "-n", "app-routing-system")
    until(
        lambda: _curl(trial, address, "http://trial/metrics"), lambda text: "coredns_build_info" in text, 60
    )


def test_an_ingress_is_served_over_tls(trial: Trial, web: None) -> None:
    address = _address(trial, "ingress", "web")
    secure = f"https://trial.{SUFFIX}/metrics"
    until(lambda: _curl(trial, address, secure), lambda text: "coredns_build_info" in text, 60)
    assert _curl(trial, address, f"https://trial.{SUFFIX}/other").endswith("404")
    assert _curl(trial, address, f"https://unknown.{SUFFIX}/metrics").endswith("000")
    assert _curl(trial, address, f"http://unknown.{SUFFIX}/metrics").endswith("404")
    assert _curl(trial, address, f"http://trial.{SUFFIX}/metrics").endswith("308")
    until(lambda: trial.kubectl("describe", "ingress", "web"), lambda text: "proxy-body-size" in text, 30)


def test_names_of_the_cluster_and_of_the_sandbox_resolve(trial: Trial, web: None) -> None:
    service = trial.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    node = trial.layout.nodes()[0]
    dns = trial.kubectl("get", "service", "-n", "kube-system", "kube-dns", "-o", "jsonpath={.spec.clusterIP}")
    program = Path(ask_dns.__file__)
    enter = ["nsenter", f"--net=/run/netns/{node.netns}", sys.executable, "-S", str(program), dns]
    for name, wanted in (
        ("web.default.svc.cluster.local", service),
        (f"management.{SUFFIX}", str(addresses.SERVICES)),
    ):
        answer = subprocess.run([*enter, name], capture_output=True, text=True, check=True).stdout.strip()
        assert answer == wanted, name


def test_an_identity_without_acrpull_cannot_pull(trial: Trial) -> None:
    az = trial.sandbox.az
    registry = az("acr", "create", "-g", GROUP, "-n", REGISTRY, "--sku", "Basic")
    pod = _pod("pulled", "system")
    pod["spec"]["containers"] = [{"name": "main", "image": f"{registry['loginServer']}/none:1"}]
    trial.apply(pod)
    why = until(
        lambda: trial.kubectl("describe", "pod", "pulled"), lambda text: "Failed to pull" in text, 120
    )
    assert "401 Unauthorized" in why
    identity = az("aks", "show", *HERE)["identityProfile"]["kubeletidentity"]["objectId"]
    grantee = ("--assignee-object-id", identity, "--assignee-principal-type", "ServicePrincipal")
    az("role", "assignment", "create", *grantee, "--role", "AcrPull", "--scope", registry["id"])
    trial.kubectl("delete", "pod", "pulled")
    trial.apply(pod)
    # Allowed now; there is just no such image.
    until(lambda: trial.kubectl("describe", "pod", "pulled"), lambda text: "none:1: not found" in text, 120)
    trial.kubectl("delete", "pod", "pulled")
    az("acr", "delete", "-g", GROUP, "-n", REGISTRY, "--yes")


def test_a_labelled_pod_gets_its_identity(trial: Trial) -> None:
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "wi", "annotations": {"azure.workload.identity/client-id": "client"}},
    }
    pod = _pod("wi", "system", "/coredns", "-dns.port=1053")
    pod["metadata"]["labels"]["azure.workload.identity/use"] = "true"
    pod["spec"]["serviceAccountName"] = "wi"
    trial.apply(account, pod)
    made = json.loads(trial.kubectl("get", "pod", "wi", "-o", "json"))
    names = {entry["name"] for entry in made["spec"]["containers"][0]["env"]}
    assert names >= {
        "AZURE_CLIENT_ID",
        "AZURE_TENANT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_AUTHORITY_HOST",
    }
    trial.kubectl("wait", "--for=condition=Ready", "pod/wi", "--timeout=60s")
    trial.kubectl("delete", "pod", "wi")


def test_a_killed_node_comes_back_with_its_pods(trial: Trial) -> None:
    """Everything of the first node dies at once; the supervisor and the kubelet bring it back."""

    def coredns() -> tuple[str, int, bool]:
        pods = json.loads(
            trial.kubectl("get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "json")
        )
        (pod,) = pods["items"]
        (status,) = pod["status"]["containerStatuses"]
        return pod["metadata"]["name"], status["restartCount"], status["ready"]

    name, restarts, _ = until(coredns, lambda found: found[2], 120)
    processes = set(mount_namespace_processes(trial.layout.nodes()[0].mount_namespace))
    processes |= set(cgroups.processes(trial.layout.nodes()[0].cgroup))
    assert len(processes) > 5
    subprocess.run(["kill", "-9", *map(str, processes)], check=False)
    until(coredns, lambda found: found == (name, restarts + 1, True), 180)


def test_a_pool_goes_with_its_node(trial: Trial) -> None:
    az = trial.sandbox.az
    if not trial.kubectl("get", "nodes", "-l", "agentpool=user", "-o", "name"):
        az("aks", "nodepool", "add", *POOLS, "-n", "user", "--mode", "User")
    machine = next(one for one in trial.layout.nodes() if one.pool == "user")
    az("aks", "nodepool", "delete", *POOLS, "-n", "user")
    assert trial.kubectl("get", "nodes", "-l", "agentpool=user", "-o", "name") == ""
    assert not Path("/run/netns", machine.netns).exists()
    assert not machine.folder.exists()
    refused = trial.sandbox.run("az", "aks", "nodepool", "delete", *POOLS, "-n", "system", check=False)
    assert "at least one system agent pool" in refused.err


def test_stopping_keeps_what_was_there(trial: Trial) -> None:
    trial.kubectl("create", "configmap", "kept", "--from-literal=a=b")
    trial.sandbox.az("aks", "stop", *HERE)
    assert trial.sandbox.az("aks", "show", *HERE)["powerState"]["code"] == "Stopped"
    assert trial.sandbox.run("kubectl", "get", "--raw", "/healthz", check=False, timeout=60).code != 0
    trial.sandbox.az("aks", "start", *HERE)
    assert trial.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}") == "b"
    trial.kubectl("-n", "kube-system", "rollout", "status", "deploy/coredns", "--timeout=180s")
