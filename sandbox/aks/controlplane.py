"""The control plane's programs: etcd, API server, controller manager, scheduler, in a namespace of their own.

They talk to etcd over the namespace's loopback. The API server listens on 443 with a certificate of the
sandbox's authority; tokens of service accounts are signed with the cluster's key and its OIDC issuer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.aks import authentication, pki
from sandbox.aks.files import revision, write, write_yaml
from sandbox.aks.layout import ClusterLayout
from sandbox.aks.settings import ClusterSettings
from sandbox.config import Config
from sandbox.services import Program, Services
from sandbox.toolchain.versions import versions

ADMIN_GROUP = "system:masters"
#: In the order they are started.
PROGRAMS = ("etcd", "apiserver", "controller-manager", "scheduler")


def kubernetes(config: Config, program: str) -> str:
    """Path of one of Kubernetes' programs in the toolchain's cache."""
    return _program(config, "kubernetes", program)


def _program(config: Config, module: str, program: str) -> str:
    return str(config.cache / f"{module}-{versions().go[module].version}" / "bin" / program)


@dataclass(frozen=True)
class ControlPlane:
    services: Services
    layout: ClusterLayout
    settings: ClusterSettings

    @property
    def keys(self) -> Path:
        return self.layout.folder / "pki"

    @property
    def authority(self) -> pki.Authority:
        return pki.Authority(self.keys, "ca")

    @property
    def service_account_key(self) -> Path:
        return pki.service_account_key(self.keys / "service-account.key")

    @property
    def server(self) -> str:
        return f"https://{self.settings.fqdn}:443"

    @property
    def admin_kubeconfig(self) -> Path:
        """For the sandbox itself; an administrator's."""
        return self.layout.folder / "admin.kubeconfig"

    def client(self, user: str, group: str | None = None) -> Path:
        """A kubeconfig file for one of the cluster's own programs."""
        name = user.replace("system:", "").replace(":", "-")
        credentials = pki.certificate_credentials(*self.authority.issue(self.keys / name, user, group))
        path = self.layout.folder / f"{name}.kubeconfig"
        write_yaml(path, self.kubeconfig(credentials, name), mode=0o600)
        return path

    def kubeconfig(self, credentials: Mapping[str, object], user: str) -> dict[str, object]:
        trust = self.services.config.ca_certificate.read_text()
        return pki.kubeconfig(self.server, trust, credentials, cluster=self.settings.name, user=user)

    def prepare(self) -> None:
        """Write keys, certificates and configuration."""
        self._serving_certificate()
        pki.Authority(self.keys, "front-proxy-ca").issue(self.keys / "front-proxy", "front-proxy-client")
        self.authority.issue(self.keys / "kubelet-client", "kube-apiserver", ADMIN_GROUP)
        self.client("admin", ADMIN_GROUP)
        authentication.write_authentication(self.services, self.settings, self.layout.folder)
        authentication.write_authorization(self.services, self.layout, self.settings)
        write(self.keys / "service-account.pub", pki.public_pem(self.service_account_key))

    def programs(self) -> Iterator[Program]:
        for name, command in (
            ("etcd", self._etcd()),
            ("apiserver", self._apiserver()),
            ("controller-manager", self._controller_manager()),
            ("scheduler", self._scheduler()),
        ):
            env = {"AKS_REVISION": self._revision()} if name == "apiserver" else {}
            yield Program(self.layout.program(name), command, netns=self.layout.netns, env=env)

    def _revision(self) -> str:
        return revision(self.keys / "apiserver.crt", self.keys / "ca.crt")

    def _serving_certificate(self) -> None:
        path = self.keys / "apiserver"
        certificate, key = path.with_suffix(".crt"), path.with_suffix(".key")
        if key.is_file() and pki.fresh(certificate):
            return
        first = str(self.settings.services[1])
        internal = [
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ]
        chain, private = self.services.ca.issue(
            [*self.settings.names, *internal, first, str(self.layout.address)]
        )
        write(key, private, mode=0o600)
        write(certificate, chain)

    def _etcd(self) -> list[str]:
        peer = "http://127.0.0.1:2380"
        return [
            _program(self.services.config, "etcd", "etcd"),
            "--name=etcd",
            f"--data-dir={self.layout.folder / 'etcd'}",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=etcd={peer}",
            "--snapshot-count=5000",
            "--log-level=warn",
        ]

    def _apiserver(self) -> list[str]:
        folder, keys = self.layout.folder, self.keys
        return [
            kubernetes(self.services.config, "kube-apiserver"),
            f"--advertise-address={self.layout.address}",
            "--secure-port=443",
            "--etcd-servers=http://127.0.0.1:2379",
            f"--service-cluster-ip-range={self.settings.services}",
            f"--tls-cert-file={keys / 'apiserver.crt'}",
            f"--tls-private-key-file={keys / 'apiserver.key'}",
            f"--client-ca-file={keys / 'ca.crt'}",
            f"--kubelet-certificate-authority={keys / 'ca.crt'}",
            f"--kubelet-client-certificate={keys / 'kubelet-client.crt'}",
            f"--kubelet-client-key={keys / 'kubelet-client.key'}",
            # Node names resolve nowhere.
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-issuer={self.settings.issuer}",
            f"--service-account-jwks-uri={self.settings.issuer}openid/v1/jwks",
            f"--service-account-signing-key-file={self.service_account_key}",
            f"--service-account-key-file={keys / 'service-account.pub'}",
            f"--api-audiences={self.settings.issuer},{self.server},https://kubernetes.default.svc",
            f"--requestheader-client-ca-file={keys / 'front-proxy-ca.crt'}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={keys / 'front-proxy.crt'}",
            f"--proxy-client-key-file={keys / 'front-proxy.key'}",
            # There is no kube-proxy in this namespace: aggregated APIs are reached at their pods.
            "--enable-aggregator-routing=true",
            f"--authentication-config={folder / authentication.AUTHENTICATION}",
            f"--authorization-config={folder / authentication.AUTHORIZATION}",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--profiling=false",
        ]

    def _controller_manager(self) -> list[str]:
        kubeconfig = self.client("system:kube-controller-manager")
        return [
            kubernetes(self.services.config, "kube-controller-manager"),
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            f"--service-account-private-key-file={self.service_account_key}",
            f"--root-ca-file={self.services.config.ca_certificate}",
            f"--cluster-signing-cert-file={self.keys / 'ca.crt'}",
            f"--cluster-signing-key-file={self.keys / 'ca.key'}",
            "--use-service-account-credentials=true",
            # There is only one; an election would cost a write every two seconds.
            "--leader-elect=false",
            # Nodes are given their pod networks where they are made.
            "--allocate-node-cidrs=false",
            "--bind-address=127.0.0.1",
            "--profiling=false",
        ]

    def _scheduler(self) -> list[str]:
        kubeconfig = self.client("system:kube-scheduler")
        return [
            kubernetes(self.services.config, "kube-scheduler"),
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--profiling=false",
        ]
