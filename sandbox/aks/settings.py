"""What the making of a cluster needs to know, read from the ARM body once. Bodies are read nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from sandbox.arm.resource import Resource

#: The Entra application id of AKS's API servers, the audience of users' tokens (the same on every cluster).
ENTRA_SERVER_APP = "6dae42f8-4368-4678-94ff-3960e28e3630"
#: The ingress class of the app-routing add-on.
INGRESS_CLASS = "webapprouting.kubernetes.azure.com"


@dataclass(frozen=True)
class ClusterSettings:
    id: str
    name: str
    group: str
    location: str
    #: The API server's name in its own networks; the one that everybody resolves; every one.
    fqdn: str
    public_fqdn: str | None
    names: tuple[str, ...]
    node_group: str
    version: str
    pods: IPv4Network
    services: IPv4Network
    dns: IPv4Address
    issuer: str
    tenant: str
    entra: bool
    azure_rbac: bool
    admin_groups: tuple[str, ...]
    local_accounts: bool
    workload_identity: bool
    #: What puts network policies in force: `cilium`, `azure`, `calico`, or nothing.
    network_policy: str | None
    app_routing: bool


@dataclass(frozen=True)
class PoolSettings:
    name: str
    mode: str
    vm_size: str
    zones: tuple[str, ...]
    max_pods: int
    labels: Mapping[str, str]
    taints: tuple[str, ...]
    os_sku: str
    image: str


def read_cluster(resource: Resource, *, issuer: str, tenant: str) -> ClusterSettings:
    """`issuer` and `tenant` are not in every body (AKS hides the issuer of a cluster that exposes none)."""
    properties = resource.properties
    network = properties["networkProfile"]
    names = tuple(properties[name] for name in ("privateFQDN", "fqdn") if properties.get(name))
    entra: dict[str, Any] | None = properties.get("aadProfile")
    return ClusterSettings(
        id=str(resource.id),
        name=resource.id.name,
        group=resource.id.group or "",
        location=resource.location or "",
        fqdn=names[0],
        public_fqdn=properties.get("fqdn"),
        names=names,
        node_group=properties["nodeResourceGroup"],
        version=properties["currentKubernetesVersion"],
        pods=IPv4Network(network.get("podCidr") or DEFAULT_PODS),
        services=IPv4Network(network["serviceCidr"]),
        dns=IPv4Address(network["dnsServiceIP"]),
        issuer=issuer,
        tenant=tenant,
        entra=entra is not None,
        azure_rbac=bool(entra and entra.get("enableAzureRBAC")),
        admin_groups=tuple((entra or {}).get("adminGroupObjectIDs") or ()),
        local_accounts=not properties.get("disableLocalAccounts"),
        workload_identity=_enabled(properties, "securityProfile", "workloadIdentity"),
        network_policy=_policy_engine(network),
        app_routing=_enabled(properties, "ingressProfile", "webAppRouting"),
    )


def read_pool(name: str, properties: Mapping[str, Any]) -> PoolSettings:
    """From an AgentPool's `properties`, or an inline profile, which has the same ones."""
    return PoolSettings(
        name=name,
        mode=properties["mode"],
        vm_size=properties["vmSize"],
        zones=tuple(properties.get("availabilityZones") or ()),
        max_pods=int(properties["maxPods"]),
        labels=dict(properties.get("nodeLabels") or {}),
        taints=tuple(properties.get("nodeTaints") or ()),
        os_sku=properties["osSKU"],
        image=properties["nodeImageVersion"],
    )


#: AKS's own defaults.
DEFAULT_PODS = "10.244.0.0/16"
DEFAULT_SERVICES = "10.0.0.0/16"
DEFAULT_DNS = "10.0.0.10"


def _policy_engine(network: Mapping[str, Any]) -> str | None:
    """Cilium's data plane brings its own. https://learn.microsoft.com/azure/aks/use-network-policies"""
    if network.get("networkDataplane") == "cilium":
        return "cilium"
    engine = str(network.get("networkPolicy") or "none")
    return None if engine == "none" else engine


def _enabled(properties: Mapping[str, Any], profile: str, feature: str) -> bool:
    return bool(((properties.get(profile) or {}).get(feature) or {}).get("enabled"))
