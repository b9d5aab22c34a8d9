"""The way in: one host, one path per agent and the console, through AKS's app routing (managed nginx)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    HTTPIngressPathArgs,
    HTTPIngressRuleValueArgs,
    IngressBackendArgs,
    IngressRuleArgs,
    IngressServiceBackendArgs,
    IngressSpecArgs,
    IngressTLSArgs,
    ServiceBackendPortArgs,
)
from pulumi_kubernetes.networking.v1.outputs import IngressStatus

from infra.naming import workload

INGRESS_CLASS = "webapprouting.kubernetes.azure.com"
TLS_SECRET = "agents-tls"  # noqa: S105 - a name, not a secret


@dataclass(frozen=True)
class IngressArgs:
    namespace: str
    host: str
    agents: list[str]


class Ingress(pulumi.ComponentResource):
    """`/api/<agent>` of the host goes to the agent's service, the console's paths to the first one's.

    `address` is the load balancer's IP.
    """

    def __init__(self, name: str, args: IngressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Ingress", name, None, opts)
        resource = k8s.networking.v1.Ingress(
            name,
            metadata=ObjectMetaArgs(
                name="agents",
                namespace=args.namespace,
                annotations={"nginx.ingress.kubernetes.io/proxy-read-timeout": "120"},
            ),
            spec=IngressSpecArgs(
                ingress_class_name=INGRESS_CLASS,
                tls=[IngressTLSArgs(hosts=[args.host], secret_name=TLS_SECRET)],
                rules=[
                    IngressRuleArgs(
                        host=args.host,
                        http=HTTPIngressRuleValueArgs(paths=_paths(args.agents)),
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.address = resource.status.apply(_address)
        self.register_outputs({"address": self.address})


def _paths(agents: list[str]) -> list[HTTPIngressPathArgs]:
    return [
        *(_path(f"/api/{agent}", "Prefix", agent) for agent in agents),
        _path("/", "Exact", agents[0]),
        _path("/console", "Prefix", agents[0]),
    ]


def _path(path: str, kind: str, agent: str) -> HTTPIngressPathArgs:
    port = ServiceBackendPortArgs(name="http")
    return HTTPIngressPathArgs(
        path=path,
        path_type=kind,
        backend=IngressBackendArgs(service=IngressServiceBackendArgs(name=workload(agent), port=port)),
    )


def _address(status: IngressStatus | None) -> str:
    """The provider waits until the load balancer has an address, so a missing one is a fault to report."""
    points = status.load_balancer.ingress if status and status.load_balancer else None
    if not points or not points[0].ip:
        raise pulumi.RunError("The ingress got no address: is the cluster's app-routing add-on running?")
    return str(points[0].ip)
