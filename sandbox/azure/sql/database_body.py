"""A database's properties: checks that a schema cannot make, defaults, and what Azure computes.

Source: https://learn.microsoft.com/rest/api/sql/databases.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.regions import ALL, normalise
from sandbox.arm.resource import Body, Resource
from sandbox.arm.store import timestamp
from sandbox.azure.sql import skus

_COLLATION = "SQL_Latin1_General_CP1_CI_AS"
#: PostgreSQL's limit for a database's name, in bytes; Azure's is 128 characters.
_LONGEST_NAME = 63
_UNSUPPORTED = ("Secondary", "OnlineSecondary", "RestoreExternalBackup", "RestoreExternalBackupSecondary")
#: What says from what a database is made.
SOURCES = (
    "sourceDatabaseId",
    "sourceResourceId",
    "restorePointInTime",
    "recoverableDatabaseId",
    "restorableDroppedDatabaseId",
    "longTermRetentionBackupResourceId",
    "recoveryServicesRecoveryPointId",
    "sourceDatabaseDeletionDate",
)
#: Said in a PUT and answered by no GET.
_WRITE_ONLY = ("createMode", "sampleName", "performCutover", *SOURCES)
_HYPERSCALE = "Hyperscale"
_SETTLED = ("collation", "catalogCollation", "isLedgerOn")


def check(
    name: str,
    server: Resource,
    body: Body,
    before: Mapping[str, Any] | None,
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Raise ArmError for what Azure would not take, or this stand-in cannot.

    `before` are the properties of the database as it is, `origin` those of the one that it is made from.
    """
    sent = body.get("properties") or {}
    if body.get("location") is not None and normalise(body["location"]) != server.location:
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The location '{body['location']}' is not that of the server, '{server.location}'.",
            "location",
        )
    if len(name.encode()) > _LONGEST_NAME:
        raise bad_request(
            "InvalidResourceName", f"Here the name of a database has at most {_LONGEST_NAME} bytes.", "name"
        )
    if before is None:
        check_create_mode(sent)
    objective = skus.of(_sku(body, before or origin))
    skus.size(objective, sent.get("maxSizeBytes"))
    if origin is not None:
        _check_origin(objective, sent, origin)
    _check_objective(objective, sent)
    for setting in _SETTLED:
        if before is not None and sent.get(setting) not in (None, before.get(setting)):
            raise bad_request(
                "PropertyChangeNotAllowed",
                f"'{setting}' of a database cannot be changed.",
                f"properties.{setting}",
            )
    if sent.get("elasticPoolId"):
        raise bad_request(
            "ElasticPoolNotSupported", "There are no elastic pools here.", "properties.elasticPoolId"
        )


def check_create_mode(sent: Mapping[str, Any]) -> None:
    """Raise ArmError for ways to make a database that are not to be had here, or a source without a way."""
    mode = sent.get("createMode") or "Default"
    if mode in _UNSUPPORTED:
        raise bad_request(
            "CreateModeNotSupported",
            f"The create mode '{mode}' is not supported here.",
            "properties.createMode",
        )
    given = [name for name in SOURCES if sent.get(name) is not None]
    if mode == "Default" and given:
        raise bad_request(
            "InvalidCreateMode", f"'{given[0]}' needs a create mode that uses it.", f"properties.{given[0]}"
        )
    if sent.get("sampleName"):
        raise bad_request(
            "SampleNotSupported", "There are no sample databases here.", "properties.sampleName"
        )


def _check_origin(objective: skus.Objective, sent: Mapping[str, Any], origin: Mapping[str, Any]) -> None:
    """A restore may change the size, but not to or from Hyperscale, nor to less than the source may hold.
    https://learn.microsoft.com/azure/azure-sql/database/hyperscale-automated-backups-overview"""
    tiers = {objective.tier, str(origin["currentSku"]["tier"])}
    if len(tiers) > 1 and _HYPERSCALE in tiers:
        raise bad_request(
            "InvalidSkuName",
            f"A database of '{origin['currentSku']['tier']}' cannot be restored to '{objective.tier}'.",
            "sku",
        )
    if objective.largest_size < origin["maxSizeBytes"]:
        raise bad_request(
            "InvalidMaxSizeTierCombination",
            f"The source may have {origin['maxSizeBytes']} bytes, a database of '{objective.name}' at most "
            f"{objective.largest_size}.",
            "sku",
        )
    for setting in _SETTLED:
        if sent.get(setting) not in (None, origin.get(setting)):
            raise bad_request(
                "PropertyChangeNotAllowed",
                f"'{setting}' is the source's.",
                f"properties.{setting}",
            )


def _sku(body: Body, before: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The sku asked for. Of a PATCH that names another one, what it did not say is still the old one's."""
    old = (before or {}).get("currentSku") or {}
    sent = {key: value for key, value in (body.get("sku") or {}).items() if value is not None}
    if sent.get("name") not in (None, old.get("name")):
        return {key: value for key, value in sent.items() if key == "name" or value != old.get(key)}
    return sent or old


def _check_objective(objective: skus.Objective, sent: Mapping[str, Any]) -> None:
    if sent.get("zoneRedundant") and not objective.zone_redundant:
        raise bad_request(
            "ProvisioningDisabled",
            f"Zone redundancy is not available for the service objective '{objective.name}'.",
            "properties.zoneRedundant",
        )
    for name in ("autoPauseDelay", "minCapacity"):
        if sent.get(name) is not None and not objective.serverless:
            raise bad_request(
                "InvalidServerlessProperty",
                f"'{name}' is for serverless databases; '{objective.name}' is none.",
                f"properties.{name}",
            )


def fill(
    server: Resource, sent_body: Body, before: Resource | None, origin: Mapping[str, Any] | None = None
) -> Body:
    """The body to store. What an update does not say stays; what a restore does not say is the source's
    (`origin`, its properties), but for what belongs to that one alone."""
    body = dict(sent_body)
    sent = {key: value for key, value in (body.get("properties") or {}).items() if value is not None}
    known = before.properties if before is not None else _inherited(origin or {})
    objective = skus.of(_sku(body, known))
    redundancy = sent.get("requestedBackupStorageRedundancy") or known.get(
        "requestedBackupStorageRedundancy", "Geo"
    )
    kept = {name: known[name] for name in (*_SETTLED, *_UPDATED) if name in known}
    properties = {
        **_defaults(server),
        **kept,
        **{name: value for name, value in sent.items() if name not in _WRITE_ONLY},
        **_sized(objective, sent.get("maxSizeBytes", known.get("maxSizeBytes"))),
        "status": "Online",
        "databaseId": known.get("databaseId") or str(uuid.uuid4()),
        "creationDate": known.get("creationDate") or timestamp(time.time()),
        "defaultSecondaryLocation": _paired(server),
        "requestedBackupStorageRedundancy": redundancy,
        "currentBackupStorageRedundancy": redundancy,
        "isInfraEncryptionEnabled": False,
    }
    if objective.serverless:
        properties.setdefault("autoPauseDelay", 60)
        properties.setdefault("minCapacity", 0.5 if objective.capacity <= 4 else objective.capacity / 8)
    else:
        properties.pop("autoPauseDelay", None)
        properties.pop("minCapacity", None)
    body |= {"sku": objective.sku, "kind": objective.kind, "location": server.location}
    body["properties"] = properties
    return body


def _inherited(origin: Mapping[str, Any]) -> Body:
    return {name: origin[name] for name in _INHERITED if name in origin}


def _defaults(server: Resource) -> Body:
    maintenance = "/providers/Microsoft.Maintenance/publicMaintenanceConfigurations/SQL_Default"
    return {
        "collation": _COLLATION,
        "catalogCollation": _COLLATION,
        "zoneRedundant": False,
        "licenseType": "LicenseIncluded",
        "readScale": "Disabled",
        "isLedgerOn": False,
        "availabilityZone": "NoPreference",
        "maintenanceConfigurationId": f"/subscriptions/{server.id.subscription}{maintenance}",
    }


#: What an update that does not mention it leaves as it is.
_UPDATED = (
    "zoneRedundant",
    "licenseType",
    "readScale",
    "highAvailabilityReplicaCount",
    "maintenanceConfigurationId",
    "failoverGroupId",
    "autoPauseDelay",
    "minCapacity",
)


#: What a restored database has from its source.
_INHERITED = (
    *_SETTLED,
    "currentSku",
    "maxSizeBytes",
    "requestedBackupStorageRedundancy",
    "zoneRedundant",
    "licenseType",
    "readScale",
    "autoPauseDelay",
    "minCapacity",
)


def _sized(objective: skus.Objective, size: Any) -> Body:
    return {
        "currentServiceObjectiveName": objective.name,
        "requestedServiceObjectiveName": objective.name,
        "currentSku": objective.sku,
        "maxSizeBytes": skus.size(objective, size),
        "maxLogSizeBytes": 193_273_528_320,
    }


def master(server: Resource) -> Body:
    """The system database of a new server."""
    sku = skus.SYSTEM
    return {
        "location": server.location,
        "sku": sku.sku,
        "kind": "v12.0,system",
        "properties": {
            **_defaults(server),
            **_sized(sku, None),
            "status": "Online",
            "databaseId": str(uuid.uuid4()),
            "creationDate": timestamp(time.time()),
            "defaultSecondaryLocation": _paired(server),
            "requestedBackupStorageRedundancy": "Geo",
            "currentBackupStorageRedundancy": "Geo",
            "isInfraEncryptionEnabled": False,
        },
    }


def _paired(server: Resource) -> str:
    region = ALL.get(server.location or "")
    return region.paired if region else ""
