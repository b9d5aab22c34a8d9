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
    "scaleDownMode": "Delete",
    "enableAutoScaling": False,
    "enableEncryptionAtHost": False,
    "enableFIPS": False,
    "enableNodePublicIP": False,
    "enableUltraSSD": False,
    "upgradeSettings": {"maxSurge": "10%"},
}


def cluster(put: Put, names: Names) -> Body:
    """The stored body of a ManagedCluster; what must not change is taken from the one before."""
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
    properties.setdefault("nodeResourceGroup", f"MC_{put.id.group}_{put.id.name}_{location}")
    properties.setdefault("enableRBAC", True)
    properties.setdefault("disableLocalAccounts", False)
    properties.setdefault("supportPlan", "KubernetesOfficial")
    properties.update(
        currentKubernetesVersion=version,
        dnsPrefix=prefix,
        fqdn=before.get("fqdn") or names.cluster(f"{prefix}-{unique}", location),
        maxAgentPools=100,
        powerState={"code": "Running"},
        resourceUID=before.get("resourceUID") or uuid.uuid4().hex[:24],
        networkProfile=_network(properties.get("networkProfile") or {}),
    )
    body.setdefault("sku", {"name": "Base", "tier": "Free"})
    _entra(properties)
    _issuer(properties, before, names, location)
    properties["agentPoolProfiles"] = [
        {"name": profile["name"], **pool(profile, version)}
        for profile in properties.get("agentPoolProfiles") or []
    ]
    return body


def pool(sent: Mapping[str, Any], version: str) -> dict[str, Any]:
    """An agent pool's properties, for a resource of its own or inline."""
    filled = {**_POOL_DEFAULTS, **{key: value for key, value in sent.items() if key != "name"}}
    if "vmSize" not in filled:
        raise bad_request("InvalidParameter", "The vmSize of an agent pool is required.", "properties.vmSize")
    filled["orchestratorVersion"] = versions.resolve(
        filled.get("orchestratorVersion") or version, "properties.orchestratorVersion"
    )
    return {
        **filled,
        "currentOrchestratorVersion": filled["orchestratorVersion"],
        "nodeImageVersion": NODE_IMAGE,
        "powerState": {"code": "Running"},
        "provisioningState": "Succeeded",
    }


def issuer(properties: Mapping[str, Any], names: Names, location: str, key: str) -> str:
    """The issuer of the cluster's service-account tokens, whether or not it is shown to users."""
    profile = properties.get("oidcIssuerProfile") or {}
    return str(profile.get("issuerURL") or names.oidc_issuer(location, TENANT_ID, key))


def _network(sent: Mapping[str, Any]) -> dict[str, Any]:
    network = {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "podCidr": settings.DEFAULT_PODS,
        "serviceCidr": settings.DEFAULT_SERVICES,
        "dnsServiceIP": settings.DEFAULT_DNS,
        "loadBalancerSku": "standard",
        "outboundType": "loadBalancer",
        "ipFamilies": ["IPv4"],
        **sent,
    }
    return {**network, "podCidrs": [network["podCidr"]], "serviceCidrs": [network["serviceCidr"]]}


def _entra(properties: dict[str, Any]) -> None:
    profile = properties.get("aadProfile")
    if profile is not None:
        profile.setdefault("tenantID", TENANT_ID)
    elif properties["disableLocalAccounts"]:
        raise bad_request(
            "BadRequest",
            "Disabling local accounts is only allowed on clusters with Microsoft Entra ID (aadProfile).",
            "properties.disableLocalAccounts",
        )


def _issuer(properties: dict[str, Any], before: Mapping[str, Any], names: Names, location: str) -> None:
    profile = properties.get("oidcIssuerProfile")
    if profile and profile.get("enabled"):
        known = (before.get("oidcIssuerProfile") or {}).get("issuerURL")
        profile["issuerURL"] = known or names.oidc_issuer(location, TENANT_ID, str(uuid.uuid4()))
    elif (before.get("oidcIssuerProfile") or {}).get("enabled"):
        raise bad_request(
            "OIDCIssuerFeatureCannotBeDisabled",
            "The OIDC issuer of a cluster cannot be disabled once it is enabled.",
            "properties.oidcIssuerProfile.enabled",
        )
