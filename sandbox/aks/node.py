"""One node: a machine of its own (network and mount namespace, cgroup) that runs containerd, the kubelet,
kube-proxy and the instance metadata service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.aks import cgroups, containerd, imds, mounts, network, nodelabels
from sandbox.aks.controlplane import ControlPlane, kubernetes
from sandbox.aks.files import revision, write_yaml
from sandbox.aks.layout import NodeLayout
from sandbox.aks.pullsecrets import write_credential_provider
from sandbox.aks.settings import PoolSettings
from sandbox.host.network import add_node, remove_node
from sandbox.host.processes import end_all
from sandbox.services import Program

#: In the order they are started.
PROGRAMS = ("imds", "containerd", "kubelet", "kube-proxy")
#: Seconds that containers which outlived their kubelet have to end.
_GRACE = 2.0


@dataclass(frozen=True)
class Node:
    plane: ControlPlane
    layout: NodeLayout
    pool: PoolSettings

    @property
    def _etc(self) -> Path:
        return self.layout.folder / "etc"

    def prepare(self) -> None:
        """Make the machine and write its configuration."""
        config = self.plane.services.config
        whole = self.plane.settings.pods
        add_node(config, self.layout.machine)
        network.prepare_node(self.layout.netns, whole, self.layout.ingress_address(whole))
        cgroups.ensure(self.layout.cgroup)
        mounts.ensure(
            self.layout.mount_namespace,
            state=config.state,
            disk=self.layout.folder / "disk",
            resolver=str(config.gateway),
        )
        containerd.configure(self.layout, whole, policies=self.plane.settings.network_policy is not None)
        imds.configure(self.plane.services, self.layout)
        write_credential_provider(self.plane.services, self._etc)
        keys = self._etc / "pki"
        authority = self.plane.authority
        authority.issue(
            keys / "serving",
            f"system:node:{self.layout.name}",
            "system:nodes",
            [self.layout.name, self.layout.address],
        )
        credentials = authority.issue(keys / "kubelet", f"system:node:{self.layout.name}", "system:nodes")
        self._write_kubeconfig("kubelet", credentials)
        self._write_kubeconfig("kube-proxy", authority.issue(keys / "kube-proxy", "system:kube-proxy"))
        write_yaml(self._etc / "kubelet.yaml", self._kubelet_config())
        write_yaml(self._etc / "kube-proxy.yaml", self._proxy_config())

    def programs(self) -> Iterator[Program]:
        """In the order they are to be started."""
        etc = self._etc
        yield self._program("imds", imds.command(self.layout), etc / "imds.conf")
        yield self._program("containerd", containerd.command(self.layout), etc / "containerd.toml")
        yield self._program(
            "kubelet", self._inside(self._kubelet_command()), etc / "kubelet.yaml", etc / "kubelet.kubeconfig"
        )
        yield self._program(
            "kube-proxy",
            self._inside(
                [kubernetes(self.plane.services.config, "kube-proxy"), f"--config={etc / 'kube-proxy.yaml'}"]
            ),
            etc / "kube-proxy.yaml",
        )

    def program_names(self) -> list[str]:
        return [self.layout.program(name) for name in PROGRAMS]

    def is_whole(self, states: Mapping[str, str]) -> bool:
        """Whether what runs can be kept: the machine is as it should be and containerd lives. `states` are
        the supervisor's."""
        config = self.plane.services.config
        current = mounts.is_current(
            self.layout.mount_namespace, state=config.state, disk=self.layout.folder / "disk"
        )
        return current and states.get(self.layout.program("containerd")) == "RUNNING"

    def reset(self) -> None:
        """Leave only what is on the disk, as a power cut would. The programs must have been stopped."""
        end_all(self._processes, grace=_GRACE)
        mounts.remove(self.layout.mount_namespace)

    def destroy(self) -> None:
        """Remove the machine with everything on it. Its programs must have been stopped."""
        self.reset()
        remove_node(self.plane.services.config, self.layout.machine.name)
        cgroups.remove(self.layout.cgroup)

    def _processes(self) -> set[int]:
        """What runs on the node: its containers, and the shims that hold them."""
        return {*cgroups.processes(self.layout.cgroup), *mounts.processes(self.layout.mount_namespace)}

    def _program(self, name: str, command: list[str], *files: Path) -> Program:
        # containerd trusts the registries through the variable that Go programs know.
        trust = {"SSL_CERT_FILE": str(self.plane.services.config.ca_bundle)}
        env = {"AKS_REVISION": revision(*files), **trust}
        return Program(self.layout.program(name), command, netns=self.layout.netns, env=env)

    def _inside(self, command: list[str]) -> list[str]:
        return mounts.enter(self.layout.mount_namespace, *command)

    def _write_kubeconfig(self, name: str, credentials: tuple[Path, Path]) -> None:
        certificate, key = credentials
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        write_yaml(self._etc / f"{name}.kubeconfig", self.plane.kubeconfig(user, name), mode=0o600)

    def _kubelet_command(self) -> list[str]:
        settings = self.plane.settings
        node_labels = ",".join(
            f"{key}={value}" for key, value in nodelabels.own_labels(settings, self.pool).items()
        )
        return [
            kubernetes(self.plane.services.config, "kubelet"),
            f"--config={self._etc / 'kubelet.yaml'}",
            f"--kubeconfig={self._etc / 'kubelet.kubeconfig'}",
            f"--hostname-override={self.layout.name}",
            f"--node-ip={self.layout.address}",
            f"--node-labels={node_labels}",
            f"--image-credential-provider-config={self._etc / 'credential-provider.yaml'}",
            f"--image-credential-provider-bin-dir={self._etc / 'credential-provider'}",
        ]

    def _kubelet_config(self) -> dict[str, object]:
        settings = self.plane.settings
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(self.plane.authority.certificate)},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.layout.cgroup}",
            "clusterDNS": [str(settings.dns)],
            "clusterDomain": "cluster.local",
            "containerRuntimeEndpoint": f"unix://{containerd.SOCKET}",
            "enforceNodeAllocatable": [],
            "eventRecordQPS": 50,
            "failCgroupV1": False,
            "failSwapOn": False,
            # Several nodes share this machine's disk: none may evict pods because of what the others hold.
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
            },
            "imageGCHighThresholdPercent": 100,
            "maxPods": self.pool.max_pods,
            "podLogsDir": "/var/log/pods",
            "providerID": nodelabels.provider_id(settings, self.layout),
            "readOnlyPort": 0,
            "registerWithTaints": nodelabels.taints(self.pool),
            "resolvConf": str(self.layout.folder / "disk" / "resolv.conf"),
            "rotateCertificates": False,
            "serializeImagePulls": False,
            "shutdownGracePeriod": "0s",
            "tlsCertFile": str(self._etc / "pki" / "serving.crt"),
            "tlsPrivateKeyFile": str(self._etc / "pki" / "serving.key"),
            "volumePluginDir": "/var/lib/kubelet/volumeplugins",
        }

    def _proxy_config(self) -> dict[str, object]:
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clientConnection": {"kubeconfig": str(self._etc / "kube-proxy.kubeconfig")},
            "clusterCIDR": str(self.plane.settings.pods),
            "hostnameOverride": self.layout.name,
            "bindAddress": str(self.layout.address),
            "metricsBindAddress": "127.0.0.1:10249",
            "healthzBindAddress": f"{self.layout.address}:10256",
            # These kernel settings belong to the machine, not to the node.
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        }
