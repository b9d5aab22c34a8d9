"""What a registry's SKU allows. Source: https://learn.microsoft.com/azure/container-registry/container-registry-skus"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.resource import Body, Resource

_SKUS = {name.lower(): name for name in ("Basic", "Standard", "Premium")}


def with_tier(sku: Mapping[str, Any]) -> dict[str, Any]:
    """The SKU in Azure's spelling; the tier follows from the name."""
    name = _SKUS[str(sku["name"]).lower()]
    return {"name": name, "tier": name}


def _premium_only(properties: Mapping[str, Any]) -> list[str]:
    """Properties in use that need Premium."""
    policies = properties.get("policies") or {}
    used = {
        "publicNetworkAccess": properties.get("publicNetworkAccess") == "Disabled",
        "zoneRedundancy": properties.get("zoneRedundancy") == "Enabled",
        "dataEndpointEnabled": bool(properties.get("dataEndpointEnabled")),
        "networkRuleSet": bool(properties.get("networkRuleSet")),
        "encryption": (properties.get("encryption") or {}).get("status") == "enabled",
        "policies.retentionPolicy": (policies.get("retentionPolicy") or {}).get("status") == "enabled",
        "policies.trustPolicy": (policies.get("trustPolicy") or {}).get("status") == "enabled",
        "policies.exportPolicy": (policies.get("exportPolicy") or {}).get("status") == "disabled",
    }
    return [name for name, needs in used.items() if needs]


def require_premium(registry: Resource, feature: str) -> None:
    """Raise ArmError 400 where a registry's SKU does not have a `feature`, named as "Agent pools need"."""
    if registry.body["sku"]["name"] != "Premium":
        raise bad_request(
            "FeatureNotSupported",
            f"{feature} the SKU Premium, which registry '{registry.id.name}' does not have.",
        )


def check(body: Body) -> None:
    """Raise ArmError 400 for an unknown SKU, or for properties that this one does not have."""
    name = str((body.get("sku") or {}).get("name"))
    if name.lower() not in _SKUS:
        known = ", ".join(_SKUS.values())
        raise bad_request(
            "SkuNotSupported", f"The SKU '{name}' is not supported; use one of {known}.", "sku.name"
        )
    properties = body.get("properties") or {}
    if name.lower() != "premium" and (used := _premium_only(properties)):
        raise bad_request(
            "FeatureNotSupported",
            f"The SKU {name} does not support {', '.join(used)}; it needs Premium.",
            f"properties.{used[0]}",
        )
    if name.lower() == "basic" and properties.get("anonymousPullEnabled"):
        raise bad_request(
            "FeatureNotSupported",
            "The SKU Basic does not support anonymousPullEnabled; it needs Standard or Premium.",
            "properties.anonymousPullEnabled",
        )
