"""An account's properties, given what was sent: checks that a schema cannot make, defaults, computed ones.

Source: https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/database-accounts. Azure answers
display names of regions; here a region keeps the spelling it was sent with.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.resource import Body
from sandbox.azure.documentdb import naming
from sandbox.config import REGIONS
from sandbox.names import Names

_DEFAULTS: Mapping[str, Any] = {
    "publicNetworkAccess": "Enabled",
    "enableAutomaticFailover": False,
    "enableMultipleWriteLocations": False,
    "enablePartitionMerge": False,
    "enableBurstCapacity": False,
    "isVirtualNetworkFilterEnabled": False,
    "virtualNetworkRules": [],
    "ipRules": [],
    "disableKeyBasedMetadataWriteAccess": False,
    "disableLocalAuth": False,
    "enableFreeTier": False,
    "enableAnalyticalStorage": False,
    "analyticalStorageConfiguration": {"schemaType": "WellDefined"},
    "createMode": "Default",
    "defaultIdentity": "FirstPartyIdentity",
    "networkAclBypass": "None",
    "networkAclBypassResourceIds": [],
    "minimalTlsVersion": "Tls12",
    "cors": [],
    "capabilities": [],
}
_PERIODIC = {
    "backupIntervalInMinutes": 240,
    "backupRetentionIntervalInHours": 8,
    "backupStorageRedundancy": "Geo",
}
#: The properties that tell where the account is.
PLACES = ("locations", "readLocations", "writeLocations", "failoverPolicies")
_STALENESS = {"maxIntervalInSeconds": 5, "maxStalenessPrefix": 100}


def check_locations(sent: Sequence[Mapping[str, Any]]) -> None:
    """Raise ArmError 400 unless each region is known, named once, and priorities run from 0."""
    if not sent:
        raise bad_request("BadRequest", "At least one location is needed.", "properties.locations")
    names = [naming.region(str(place.get("locationName", ""))) for place in sent]
    for number, name in enumerate(names):
        if name not in REGIONS:
            raise bad_request(
                "BadRequest",
                f"The region '{name}' is not known; use one of {', '.join(REGIONS)}.",
                f"properties.locations[{number}].locationName",
            )
    if len(set(names)) != len(names):
        raise bad_request("BadRequest", "A region is named more than once.", "properties.locations")
    if sorted(place.get("failoverPriority", 0) for place in sent) != list(range(len(sent))):
        raise bad_request(
            "BadRequest",
            f"The failover priorities must be 0 to {len(sent) - 1}, each once.",
            "properties.locations",
        )


def ranked(policies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Failover policies as the account keeps them: priorities from 0 on, in the order that is asked for.

    One is 0; the others may be any numbers, each once.
    https://learn.microsoft.com/cli/azure/cosmosdb#az-cosmosdb-failover-priority-change
    """
    priorities = [one.get("failoverPriority") for one in policies]
    if 0 not in priorities or len(set(priorities)) != len(priorities):
        return [dict(one) for one in policies]
    ordered = sorted(policies, key=lambda one: int(one.get("failoverPriority") or 0))
    return [{**one, "failoverPriority": number} for number, one in enumerate(ordered)]


def differ_elsewhere(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an update changes properties other than those that tell where the account is."""
    names = set(after) - set(PLACES)
    return any(before.get(name) != after[name] for name in names)


def check_backup(sent: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
    """Continuous backup cannot be turned off again."""
    kind = (sent.get("backupPolicy") or {}).get("type")
    if before and continuous(before) and kind == "Periodic":
        raise bad_request(
            "BadRequest",
            "Database account cannot be migrated from Continuous backup policy to Periodic.",
            "properties.backupPolicy.type",
        )


def _backup(sent: Mapping[str, Any] | None) -> dict[str, Any]:
    kind = (sent or {}).get("type", "Periodic")
    if kind == "Continuous":
        given = (sent or {}).get("continuousModeProperties") or {}
        return {"type": kind, "continuousModeProperties": {"tier": "Continuous30Days", **given}}
    return {
        "type": kind,
        "periodicModeProperties": {**_PERIODIC, **((sent or {}).get("periodicModeProperties") or {})},
    }


def continuous(properties: Mapping[str, Any]) -> bool:
    """Whether the account, or the body that asks for one, has continuous backup."""
    return (properties.get("backupPolicy") or {}).get("type") == "Continuous"


def backup_window(properties: Mapping[str, Any]) -> int:
    """Seconds back to which the account can be restored."""
    policy = properties["backupPolicy"]
    if continuous(properties):
        return 86_400 * (7 if policy["continuousModeProperties"]["tier"] == "Continuous7Days" else 30)
    return 3600 * int(policy["periodicModeProperties"]["backupRetentionIntervalInHours"])


def places(names: Names, account: str, sent: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The properties that tell where the account is; the region of priority 0 is the writable one."""
    ordered = sorted(sent, key=lambda place: int(place.get("failoverPriority", 0)))
    described = [
        {
            "id": f"{account}-{naming.region(place['locationName'])}",
            "locationName": place["locationName"],
            "documentEndpoint": naming.endpoint(names, account, place["locationName"]),
            "provisioningState": "Succeeded",
            "failoverPriority": int(place.get("failoverPriority", 0)),
            "isZoneRedundant": bool(place.get("isZoneRedundant", False)),
        }
        for place in ordered
    ]
    policies = [
        {name: place[name] for name in ("id", "locationName", "failoverPriority")} for place in described
    ]
    return {
        "locations": described,
        "readLocations": described,
        "writeLocations": described[:1],
        "failoverPolicies": policies,
    }


def _origin(sent: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is said once, when the account is made: later requests leave it as it is, sent or not."""
    if before is None:
        return {}
    kept = {"createMode": before.get("createMode", "Default")}
    if "restoreParameters" in before:
        kept["restoreParameters"] = before["restoreParameters"]
    return {**kept, "capabilities": sent.get("capabilities", before.get("capabilities") or [])}


def fill(names: Names, account: str, sent: Body, before: Mapping[str, Any] | None) -> Body:
    """The properties to store."""
    known = before or {}
    return {
        **_DEFAULTS,
        **sent,
        **_origin(sent, before),
        **places(names, account, sent["locations"]),
        "documentEndpoint": naming.endpoint(names, account),
        "instanceId": known.get("instanceId") or str(uuid.uuid4()),
        "consistencyPolicy": {
            "defaultConsistencyLevel": "Session",
            **_STALENESS,
            **(sent.get("consistencyPolicy") or {}),
        },
        "backupPolicy": _backup(sent.get("backupPolicy") or known.get("backupPolicy")),
        "databaseAccountOfferType": sent.get("databaseAccountOfferType", "Standard"),
    }


def serverless(properties: Mapping[str, Any]) -> bool:
    return any(item.get("name") == "EnableServerless" for item in properties.get("capabilities") or ())
