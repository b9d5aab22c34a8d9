"""Certificates: cert-manager, an ACME issuer, and the certificate that the ingress serves."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.settings.sections import CertificateSettings
from infra.workload.ingress import INGRESS_CLASS, TLS_SECRET
from infra.workload.namespace import pod_security

# https://cert-manager.io/docs/installation/helm/
_CHART = "oci://quay.io/jetstack/charts/cert-manager"
_VERSION = "v1.21.2"
_NAMESPACE = "cert-manager"
_API = "cert-manager.io/v1"
ISSUER = "acme"
# Let's Encrypt's certificates last 90 days; a failed renewal has 30 to be noticed and mended.
_RENEW_BEFORE = "720h"
_READY = {"pulumi.com/waitFor": "condition=Ready"}


class CertManager(pulumi.ComponentResource):
    """cert-manager and a cluster-wide issuer that proves control of a name by HTTP, through the ingress."""

    def __init__(
        self, name: str, settings: CertificateSettings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("agents:workload:CertManager", name, None, opts)
        namespace = k8s.core.v1.Namespace(
            name,
            metadata=ObjectMetaArgs(name=_NAMESPACE, labels=pod_security()),
            opts=pulumi.ResourceOptions(parent=self),
        )
        release = Release(
            name,
            name=_NAMESPACE,
            namespace=namespace.metadata.name,
            chart=_CHART,
            version=_VERSION,
            values={"crds": {"enabled": True}},
            opts=pulumi.ResourceOptions(parent=self),
        )
        acme = {
            "server": settings.server,
            "privateKeySecretRef": {"name": "acme-account"},
            # The service type, because the default one takes a port of every node, which the quota forbids.
            "solvers": [
                {"http01": {"ingress": {"ingressClassName": INGRESS_CLASS, "serviceType": "ClusterIP"}}}
            ],
        }
        self.issuer = CustomResource(
            "issuer",
            api_version=_API,
            kind="ClusterIssuer",
            metadata=ObjectMetaArgs(name=ISSUER, annotations=_READY),
            spec={"acme": {**acme, **({"email": settings.email} if settings.email else {})}},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[release]),
        )
        self.register_outputs({})


@dataclass(frozen=True)
class CertificateArgs:
    """`ready`: what the challenge needs: the issuer, the ingress, and the public name that leads there."""

    namespace: str
    host: str
    ready: list[pulumi.Resource]


class Certificate(pulumi.ComponentResource):
    """The certificate of one host, in the secret that the ingress serves; renewed with a new key."""

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Certificate", name, None, opts)
        CustomResource(
            name,
            api_version=_API,
            kind="Certificate",
            metadata=ObjectMetaArgs(name=TLS_SECRET, namespace=args.namespace, annotations=_READY),
            spec={
                "secretName": TLS_SECRET,
                "dnsNames": [args.host],
                "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": ISSUER},
                "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
                "renewBefore": _RENEW_BEFORE,
                "revisionHistoryLimit": 1,
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.ready),
        )
        self.register_outputs({})
