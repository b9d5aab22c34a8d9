"""Azure's answers in the shapes that its REST reference documents, for a subscription that has everything.

A test takes the answers, changes one and looks at what the check says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from infra.preflight.arm import Arm, AskError
from infra.preflight.az import Account
from infra.preflight.data import Blob, Image
from infra.preflight.declared import declared, namespaces
from infra.preflight.report import Finding, State
from infra.preflight.stack import Stack, read
from infra.preflight.subject import Check, Subject

ROOT = Path(__file__).parents[3]
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
OPERATOR = Account(SUBSCRIPTION.rpartition("/")[2], "Agents", "tenant", "someone@example.com", False)
GROUP = "/resourceGroups/rg-agents-prod"
COMPUTE = "/providers/Microsoft.Compute"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-agents-prod"
_DISPLAY = {"westeurope": "West Europe", "northeurope": "North Europe"}

#: https://learn.microsoft.com/rest/api/compute/resource-skus/list
SIZES = {
    "Standard_D2ads_v5": 2,
    "Standard_D4ads_v5": 4,
    "Standard_D8ads_v5": 8,
    "Standard_D16ads_v5": 16,
}


@dataclass
class Lists:
    """Data planes: what a container has, by account and container, and a registry, by repository."""

    kept: dict[tuple[str, str], list[Blob] | AskError] = field(default_factory=dict)
    pushed: dict[str, dict[str, list[Image]] | AskError] = field(default_factory=dict)

    def blobs(self, account: str, container: str, prefix: str) -> list[Blob]:
        found = self.kept.get((account, container), AskError("The specified container does not exist."))
        if isinstance(found, AskError):
            raise found
        return [blob for blob in found if blob.name.startswith(prefix)]

    def repositories(self, registry: str) -> frozenset[str]:
        return frozenset(self._registry(registry))

    def images(self, registry: str, repository: str) -> list[Image]:
        return self._registry(registry)[repository]

    def _registry(self, name: str) -> dict[str, list[Image]]:
        found = self.pushed.get(name, AskError("no such registry"))
        if isinstance(found, AskError):
            raise found
        return found


@dataclass
class Azure:
    """Answers by path, in lower case; an AskError is raised. `asked` are the URLs, in order."""

    answers: dict[str, Any]
    data: Lists = field(default_factory=Lists)
    asked: list[str] = field(default_factory=list)

    def get(self, url: str) -> Any:
        self.asked.append(url)
        parts = urlsplit(url)
        assert "api-version" in parse_qs(parts.query), url
        answer = self.answers.get(parts.path.lower())
        if answer is None:
            raise AskError(f"{parts.path} was not found", 404, "ResourceNotFound")
        if isinstance(answer, AskError):
            raise answer
        return answer

    def put(self, path: str, answer: Any) -> None:
        self.answers[f"{SUBSCRIPTION}{path}".lower()] = answer

    def at(self, path: str) -> Any:
        """An answer, to be changed in place."""
        return self.answers[f"{SUBSCRIPTION}{path}".lower()]


def stack(name: str = "prod", **changes: Any) -> Stack:
    """The project's own stack, with some settings changed."""
    found = read(ROOT, name)
    settings = found.settings.model_copy(update=changes)
    return Stack(found.name, settings, found.subscription, found.provider)


def subject(azure: Azure, of: Stack, **others: Any) -> Subject:
    return Subject(of, Arm(azure.get), OPERATOR, azure.data, **others)


def found(check: Check, azure: Azure, of: Stack | None = None, **others: Any) -> list[Finding]:
    return list(check(subject(azure, of or stack(), **others)))


def states(findings: list[Finding]) -> list[State]:
    return [finding.state for finding in findings]


def lacking(findings: list[Finding]) -> Finding:
    """The only finding that something is missing."""
    (one,) = [finding for finding in findings if finding.state is State.MISSING]
    return one


def ready(of: Stack) -> Azure:
    """A subscription in which nothing of `of` is deployed and nothing is in the way."""
    azure = Azure({})
    azure.put("", subscription())
    azure.put("/providers/Microsoft.Authorization/permissions", {"value": [OWNER]})
    azure.put("/providers", {"value": providers(of)})
    azure.put("/providers/Microsoft.DocumentDB/locations", {"value": [cosmos(region) for region in _DISPLAY]})
    azure.put("/providers/Microsoft.KeyVault/deletedVaults", {"value": []})
    azure.put("/providers/Microsoft.CognitiveServices/deletedAccounts", {"value": []})
    azure.put("/providers/Microsoft.Compute/skus", {"value": [*map(size, SIZES), DISK]})
    for region in _DISPLAY:
        at = "/providers/Microsoft.{}/locations/" + region
        azure.put(
            at.format("Compute") + "/usages", {"value": [cores("cores"), cores("standardDADSv5Family")]}
        )
        azure.put(at.format("ContainerService") + "/kubernetesVersions", KUBERNETES)
        azure.put(
            at.format("CognitiveServices") + "/models", {"value": [model("gpt-5.4-mini", "2026-03-17")]}
        )
        azure.put(at.format("CognitiveServices") + "/usages", {"value": [tokens("gpt-5.4-mini")]})
        azure.put(at.format("Sql") + "/capabilities", sql("GP_Gen5_2", "GP_S_Gen5_1"))
    return azure


OWNER = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
CONTRIBUTOR = {
    "actions": ["*"],
    "notActions": ["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"],
    "dataActions": [],
    "notDataActions": [],
}
#: https://learn.microsoft.com/rest/api/aks/managed-clusters/list-kubernetes-versions
KUBERNETES = {
    "values": [
        {
            "version": "1.30",
            "capabilities": {"supportPlan": ["AKSLongTermSupport"]},
            "patchVersions": {"1.30.14": {"upgrades": ["1.31.11"]}},
        },
        {
            "version": "1.34",
            "isDefault": True,
            "capabilities": {"supportPlan": ["KubernetesOfficial", "AKSLongTermSupport"]},
            "patchVersions": {"1.34.2": {"upgrades": []}, "1.34.4": {"upgrades": []}},
        },
        {
            "version": "1.35",
            "isPreview": True,
            "capabilities": {"supportPlan": ["KubernetesOfficial"]},
            "patchVersions": {"1.35.0": {"upgrades": []}},
        },
    ]
}
DISK = {"resourceType": "disks", "name": "Premium_LRS", "locations": ["westeurope"]}


def subscription(state: str = "Enabled", quota: str = "PayAsYouGo_2014-09-01") -> dict[str, Any]:
    """https://learn.microsoft.com/rest/api/resources/subscriptions/get"""
    return {"id": SUBSCRIPTION, "state": state, "subscriptionPolicies": {"quotaId": quota}}


def providers(of: Stack) -> list[dict[str, Any]]:
    """https://learn.microsoft.com/rest/api/resources/providers/list"""
    types: dict[str, list[dict[str, Any]]] = {name: [] for name in namespaces(of.settings)}
    for one in declared(of.settings):
        locations = list(_DISPLAY.values()) if one.own or one.paired or one.origin else []
        entry = {"resourceType": one.type.partition("/")[2], "locations": locations}
        types[one.namespace].append(entry)
    return [
        {"namespace": name, "registrationState": "Registered", "resourceTypes": found}
        for name, found in types.items()
    ]


def size(name: str) -> dict[str, Any]:
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "family": "standardDADSv5Family",
        "locations": ["westeurope"],
        "locationInfo": [{"location": "westeurope", "zones": ["3", "1", "2"]}],
        "capabilities": [{"name": "vCPUs", "value": str(SIZES[name])}],
        "restrictions": [],
    }


def restricted(kind: str, **information: list[str]) -> dict[str, Any]:
    return {
        "type": kind,
        "values": information.get("zones", ["westeurope"]),
        "restrictionInfo": {"locations": ["westeurope"], **information},
        "reasonCode": "NotAvailableForSubscription",
    }


def cores(name: str, used: int = 0, limit: int = 500) -> dict[str, Any]:
    """https://learn.microsoft.com/rest/api/compute/usage/list"""
    return {
        "unit": "Count",
        "currentValue": used,
        "limit": limit,
        "name": {"value": name, "localizedValue": name},
    }


def cluster(*pools: tuple[str, int]) -> dict[str, Any]:
    """https://learn.microsoft.com/rest/api/aks/managed-clusters/get"""
    return {"properties": {"agentPoolProfiles": [{"vmSize": name, "count": count} for name, count in pools]}}


def model(name: str, version: str, **changes: Any) -> dict[str, Any]:
    """https://learn.microsoft.com/rest/api/aiservices/accountmanagement/models/list"""
    told = {
        "format": "OpenAI",
        "name": name,
        "version": version,
        "lifecycleStatus": "GenerallyAvailable",
        "capabilities": {"chatCompletion": "true"},
        "skus": [
            {"name": "Standard", "usageName": f"OpenAI.Standard.{name}"},
            {"name": "GlobalStandard", "usageName": f"OpenAI.GlobalStandard.{name}"},
        ],
    }
    return {"kind": "OpenAI", "skuName": "S0", "model": {**told, **changes}}


def tokens(name: str, used: float = 0, limit: float = 2000) -> dict[str, Any]:
    """https://learn.microsoft.com/rest/api/aiservices/accountmanagement/usages/list"""
    return {
        "name": {"value": f"OpenAI.GlobalStandard.{name}"},
        "currentValue": used,
        "limit": limit,
        "unit": "Count",
    }


def cosmos(region: str, **changes: Any) -> dict[str, Any]:
    """https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/locations/list"""
    told = {
        "supportsAvailabilityZone": True,
        "isSubscriptionRegionAccessAllowedForRegular": True,
        "isSubscriptionRegionAccessAllowedForAz": True,
        "status": "Online",
    }
    return {"name": _DISPLAY[region], "properties": {**told, **changes}}


def sql(*objectives: str, status: str = "Available", **changes: Any) -> dict[str, Any]:
    """https://learn.microsoft.com/rest/api/sql/capabilities/list-by-location"""
    listed: list[Mapping[str, Any]] = [
        {"name": name, "status": "Available", "zoneRedundant": True, **changes} for name in objectives
    ]
    edition = {"name": "GeneralPurpose", "supportedServiceLevelObjectives": listed, "status": "Available"}
    version = {"name": "12.0", "supportedEditions": [edition], "status": "Default"}
    return {"name": "West Europe", "supportedServerVersions": [version], "status": status}
