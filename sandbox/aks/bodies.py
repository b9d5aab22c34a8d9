"""The bodies that AKS answers: what was sent, the service's defaults, and what it computes.

Defaults are those of the REST API (version 2025-09-01) for Azure CNI overlay and scale sets.
"""

from __future__ import annotations

import copy
import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.aks import settings, versions
from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Put
from sandbox.arm.resource import Body
from sandbox.config import TENANT_ID
from sandbox.names import Names

NODE_IMAGE = "AKSUbuntu-2204gen2containerd-202611.02.0"
#: Nodes that run for a pool with any.
REAL_NODES = 1
_POOL_DEFAULTS: Mapping[str, Any] = {
    "count": 1,
    "mode": "User",
    "type": "VirtualMachineScaleSets",
    "osType": "Linux",
    "osSKU": "Ubuntu",
    "osDiskSizeGB": 128,
    "osDiskType": "Managed",
    "kubeletDiskType": "OS",
    "maxPods": 250,
    "powerState": {"code": "Running"},
    "scaleDownMode": "Delete",
    "enableAutoScaling": False,
    "enableEncryptionAtHost": False,
    "enableFIPS": False,
    "enableNodePublicIP": False,
    "enableUltraSSD": False,
    "upgradeSettings": {"maxSurge": "10%"},
}


def cluster(put: Put, names: Names, pools: Mapping[str, Mapping[str, Any]]) -> Body:
    """The stored body of a ManagedCluster; what must not change is taken from the one before. `pools` are the
    properties of the agent pools that it has, by name."""
    body = copy.deepcopy(put.body)
    properties: dict[str, Any] = body.setdefault("properties", {})
    before: dict[str, Any] = put.previous.properties if put.previous else {}
    location = body["location"]
    version = versions.resolve(properties.get("kubernetesVersion"))
    if before:
        versions.check_change(before["currentKubernetesVersion"], version)
    prefix = properties.get("dnsPrefix") or properties.get("fqdnSubdomain") or put.id.name
    unique = hashlib.sha256(put.id.key.encode()).hexdigest()[:8]
    properties.setdefault("kubernetesVersion", version)
    properties.setdefault("nodeResourceGroup", _node_group(put, location))
    properties.setdefault("enableRBAC", True)
    properties.setdefault("disableLocalAccounts", False)
    properties.setdefault("supportPlan", "KubernetesOfficial")
    properties.update(
        currentKubernetesVersion=version,
        dnsPrefix=prefix,
        maxAgentPools=100,
        powerState=before.get("powerState") or {"code": "Running"},
        resourceUID=before.get("resourceUID") or uuid.uuid4().hex[:24],
        networkProfile=_network(properties.get("networkProfile") or {}),
    )
    _place(properties, before, names, f"{prefix}-{unique}", location)
    body.setdefault("sku", {"name": "Base", "tier": "Free"})
    _entra(properties)
    _issuer(properties, before, names, location)
    properties["agentPoolProfiles"] = [
        {"name": profile["name"], **pool(profile, version, pools.get(profile["name"], {}))}
        for profile in properties.get("agentPoolProfiles") or []
    ]
    return body


def pool(sent: Mapping[str, Any], version: str, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An agent pool's properties, for a resource of its own or inline; what an inline profile does not say
    stays as the pool has it (`known`)."""
    # What a read-modify-write sends back of `status` was true when it was read.
    said = {key: value for key, value in sent.items() if key not in {"name", "status"} and value is not None}
    filled = {**_POOL_DEFAULTS, **(known or {}), **said}
    if "vmSize" not in filled:
        raise bad_request("InvalidParameter", "The vmSize of an agent pool is required.", "properties.vmSize")
    filled["orchestratorVersion"] = versions.resolve(
        filled.get("orchestratorVersion") or version, "properties.orchestratorVersion"
    )
    return {
        **filled,
        "currentOrchestratorVersion": filled["orchestratorVersion"],
        "nodeImageVersion": NODE_IMAGE,
        "provisioningState": "Succeeded",
    }


def wants_node(properties: Mapping[str, Any]) -> bool:
    """Whether a pool has nodes at all: it is neither stopped nor scaled to none."""
    stopped = (properties.get("powerState") or {}).get("code") == "Stopped"
    return not stopped and int(properties.get("count", 1)) > 0


def with_shortfall(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A pool's properties as GET answers them. Where fewer nodes run than were asked for, `status` says so:
    the one place that ARM has for it."""
    shown = dict(properties)
    asked = int(shown.get("count", 1))
    if wants_node(shown) and asked > REAL_NODES:
        message = f"{REAL_NODES} of {asked} nodes run: the sandbox runs one real node per agent pool."
        shown["status"] = {"provisioningError": {"code": "NodesNotRunning", "message": message}}
    return shown


def issuer(properties: Mapping[str, Any], names: Names, location: str) -> str:
    """The issuer of the cluster's service-account tokens, whether or not it is shown to users."""
    profile = properties.get("oidcIssuerProfile") or {}
    known = profile.get("issuerURL")
    return str(known or _issuer_url(properties["resourceUID"], names, location))


def _issuer_url(unique: str, names: Names, location: str) -> str:
    return names.oidc_issuer(location, TENANT_ID, str(uuid.uuid5(uuid.NAMESPACE_OID, unique)))


def _node_group(put: Put, location: str) -> str:
    # AKS cuts the name to what a resource group's may be.
    return f"MC_{put.id.group}_{put.id.name}_{location}"[:80]


def _network(sent: Mapping[str, Any]) -> dict[str, Any]:
    overlay = (
        {"networkPlugin": "azure", "networkPluginMode": "overlay"} if not sent.get("networkPlugin") else {}
    )
    network = {
        **overlay,
        "networkPolicy": "none",
        "networkDataplane": "azure",
        "serviceCidr": settings.DEFAULT_SERVICES,
        "dnsServiceIP": settings.DEFAULT_DNS,
        "loadBalancerSku": "standard",
        "outboundType": "loadBalancer",
        "ipFamilies": ["IPv4"],
        **sent,
    }
    network["serviceCidrs"] = [network["serviceCidr"]]
    # Pods have a network of their own unless they share the nodes' subnet.
    if network.get("networkPluginMode") == "overlay" or network["networkPlugin"] == "kubenet":
        network.setdefault("podCidr", settings.DEFAULT_PODS)
        network["podCidrs"] = [network["podCidr"]]
    return network


def _place(
    properties: dict[str, Any], before: Mapping[str, Any], names: Names, name: str, location: str
) -> None:
    """The API server's names. A private one has one of its own, and a public one beside it unless that is
    switched off. https://learn.microsoft.com/azure/aks/private-clusters"""
    public = before.get("fqdn") or names.cluster(name, location)
    properties["azurePortalFQDN"] = public.replace(".hcp.", ".portal.hcp.", 1)
    profile = properties.get("apiServerAccessProfile") or {}
    for shown in ("fqdn", "privateFQDN"):
        properties.pop(shown, None)
    if not profile.get("enablePrivateCluster"):
        properties["fqdn"] = public
        return
    zone = profile.setdefault("privateDNSZone", "system")
    if profile.setdefault("enablePrivateClusterPublicFQDN", True):
        properties["fqdn"] = public
    if zone == "none":
        return
    unique = str(uuid.uuid5(uuid.NAMESPACE_DNS, public))
    properties["privateFQDN"] = before.get("privateFQDN") or names.private_cluster(name, unique, location)


def _entra(properties: dict[str, Any]) -> None:
    profile = properties.get("aadProfile")
    if profile is not None:
        profile.setdefault("tenantID", TENANT_ID)
        profile.setdefault("managed", True)
        profile.setdefault("enableAzureRBAC", False)
        profile.setdefault("adminGroupObjectIDs", None)
    elif properties["disableLocalAccounts"]:
        raise bad_request(
            "BadRequest",
            "Disabling local accounts is only allowed on clusters with Microsoft Entra ID (aadProfile).",
            "properties.disableLocalAccounts",
        )


def _issuer(properties: dict[str, Any], before: Mapping[str, Any], names: Names, location: str) -> None:
    profile = properties.get("oidcIssuerProfile")
    known = before.get("oidcIssuerProfile") or {}
    if profile and profile.get("enabled"):
        profile["issuerURL"] = known.get("issuerURL") or _issuer_url(
            properties["resourceUID"], names, location
        )
    elif known.get("enabled"):
        raise bad_request(
            "OIDCIssuerFeatureCannotBeDisabled",
            "The OIDC issuer of a cluster cannot be disabled once it is enabled.",
            "properties.oidcIssuerProfile.enabled",
        )
    workload = (properties.get("securityProfile") or {}).get("workloadIdentity") or {}
    if workload.get("enabled") and not (profile and profile.get("enabled")):
        raise bad_request(
            "InvalidParameter",
            "Workload identity needs the OIDC issuer: set oidcIssuerProfile.enabled.",
            "properties.securityProfile.workloadIdentity.enabled",
        )
