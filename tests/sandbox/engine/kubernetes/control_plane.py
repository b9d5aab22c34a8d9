"""A real Kubernetes control plane on loopback, and a stand-in for the kubelet."""

import json
import secrets
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.engine.caller import Caller
from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.client import ApiError, Client
from sandbox.engine.kubernetes.credentials import Credentials
from sandbox.engine.kubernetes.kubeconfig import access
from sandbox.engine.kubernetes.objects import Kind, Object

NODE, POD = Kind("", "v1", "Node"), Kind("", "v1", "Pod")


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)
    return found


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


@dataclass
class ControlPlane:
    """etcd, API server and controller manager; ended with `stop`."""

    folder: Path
    tools: Mapping[str, Path]
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    port: int = 0

    def start(self) -> None:
        client, peer, self.port = free_ports(3)
        etcd, own = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
        self._run(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={own}",
            f"--initial-advertise-peer-urls={own}",
            f"--initial-cluster=default={own}",
            "--unsafe-no-fsync",
        )
        key = self.folder / "accounts.key"
        key.write_bytes(
            rsa.generate_private_key(65537, 2048).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        tokens = self.folder / "tokens.csv"
        tokens.write_text(f'{self.token},admin,admin,"system:masters"\nreader,reader,reader\n')
        self._run(
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--cert-dir={self.folder / 'certificates'}",
            "--endpoint-reconciler-type=none",
            "--authorization-mode=RBAC",
            f"--token-auth-file={tokens}",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://issuer.test",
        )
        certificate = self.folder / "certificates" / "apiserver.crt"
        until(certificate.exists, "the API server's certificate")
        kubeconfig = self.folder / "kubeconfig"
        kubeconfig.write_text(self.kubeconfig())
        until(self._ready, "the API server")
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={kubeconfig}",
            f"--service-account-private-key-file={key}",
            "--controllers=*,-node-lifecycle-controller,-node-ipam-controller",
            "--leader-elect=false",
            "--secure-port=0",
            "--concurrent-deployment-syncs=2",
        )

    def _run(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen([self.tools[name], *arguments], stdout=log, stderr=subprocess.STDOUT)
            )

    def _ready(self) -> bool:
        with suppress(PlugError, ssl.SSLError):
            return self.client()._request("GET", "/readyz").is_success
        return False

    def kubeconfig(self, *, token: str | None = None, **cluster: Any) -> str:
        certificate = self.folder / "certificates" / "apiserver.crt"
        server = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": str(certificate)}
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "main",
                "clusters": [{"name": "main", "cluster": {**server, **cluster}}],
                "users": [{"name": "admin", "user": {"token": token or self.token}}],
                "contexts": [{"name": "main", "context": {"cluster": "main", "user": "admin"}}],
            }
        )

    def client(self) -> Client:
        found = access(json.loads(self.kubeconfig()))
        return Client(found, Credentials(found.user, found.server, Caller(0, 0, self.folder, {})))

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Kubelet:
    """Binds every pod to one node and reports it running; images named `missing` cannot be pulled."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}}
        self._client.create(NODE, "", node, manager="test")
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(0.1):
            with suppress(PlugError):
                for pod in self._client._json("GET", "/api/v1/pods")["items"]:
                    with suppress(ApiError):
                        self._tend(pod)

    def _tend(self, pod: Object) -> None:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if metadata.get("deletionTimestamp"):
            self._client._json("DELETE", path, body={"gracePeriodSeconds": 0})
        elif not pod["spec"].get("nodeName"):
            target = {"apiVersion": "v1", "kind": "Node", "name": "node"}
            body = {"metadata": {"name": metadata["name"]}, "target": target}
            self._client._json("POST", f"{path}/binding", body=body)
        elif pod["status"]["phase"] == "Pending" and not pod["status"].get("containerStatuses"):
            self._client._json(
                "PATCH",
                f"{path}/status",
                body={"status": self._status(pod)},
                content_type="application/merge-patch+json",
            )

    def _status(self, pod: Object) -> Object:
        container = pod["spec"]["containers"][0]
        base = {"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0}
        address = {"podIP": "10.99.0.1", "podIPs": [{"ip": "10.99.0.1"}]}
        if container["image"] == "missing":
            message = 'Back-off pulling image "missing"'
            state = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
            return {"phase": "Pending", "containerStatuses": [{**base, "ready": False, "state": state}]}
        if pod["spec"].get("restartPolicy") == "Never":
            code = 1 if container["image"] == "failing" else 0
            state = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}
            done = {"containerStatuses": [{**base, "ready": False, "state": state}]}
            return {"phase": "Failed" if code else "Succeeded", **address, **done}
        state = {"running": {"startedAt": "2030-01-01T00:00:00Z"}}
        conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")]
        running = {"containerStatuses": [{**base, "ready": True, "state": state}], "conditions": conditions}
        return {"phase": "Running", **address, **running}
