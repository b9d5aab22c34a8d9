"""Whether the regions take databases of this subscription: popular ones are closed to newcomers at times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infra.preflight.report import Finding, missing, ok
from infra.preflight.subject import Subject

# https://learn.microsoft.com/azure/azure-sql/database/quota-increase-request,
# https://learn.microsoft.com/azure/cosmos-db/nosql/troubleshoot-service-unavailable
_SQL_REQUEST = "https://aka.ms/sqlcapacity"
_COSMOS_REQUEST = "https://aka.ms/cosmosdbquota"
_USABLE = {"Available", "Default"}


def cosmos(subject: Subject) -> Iterator[Finding]:
    """https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/locations/list"""
    listed = subject.arm.list(
        f"{subject.subscription}/providers/Microsoft.DocumentDB/locations", "2024-05-15"
    )
    known = {str(one["name"]).replace(" ", "").lower(): one["properties"] for one in listed}
    zonal = bool(subject.stack.settings.cluster.zones)
    for region in subject.stack.regions:
        about = f"cosmos db in {region}"
        fault = _closed(known.get(region) or {}, zonal=zonal)
        if fault is None:
            yield ok(about, f"open to this subscription{', with zones' if zonal else ''}")
        else:
            yield missing(about, fault, f"ask for access: {_COSMOS_REQUEST}; or choose another region")


def sql(subject: Subject) -> Iterator[Finding]:
    """https://learn.microsoft.com/rest/api/sql/capabilities/list-by-location"""
    wanted = subject.stack.settings.sql.sku
    for number, region in enumerate(subject.stack.regions):
        # The second copy is made as its region makes it.
        zonal = number == 0 and bool(subject.stack.settings.cluster.zones)
        answer = subject.arm.read(f"{subject.located('Microsoft.Sql', region)}/capabilities", "2021-11-01")
        fault = _unsized(answer, wanted, zonal=zonal)
        about = f"sql in {region}"
        if fault is None:
            yield ok(about, f"{wanted} is offered{', zone-redundant' if zonal else ''}")
        else:
            yield missing(
                about, fault, f"ask for access: {_SQL_REQUEST}; or choose another region or sql.sku"
            )


def _closed(place: Mapping[str, Any], *, zonal: bool) -> str | None:
    if not place.get("isSubscriptionRegionAccessAllowedForRegular"):
        return "the region takes no accounts of this subscription"
    if zonal and not place.get("supportsAvailabilityZone"):
        return "the region has no availability zones"
    if zonal and not place.get("isSubscriptionRegionAccessAllowedForAz"):
        return "the region takes no zone-redundant accounts of this subscription"
    return None


def _unsized(answer: Mapping[str, Any], wanted: str, *, zonal: bool) -> str | None:
    if answer.get("status") not in _USABLE:
        reason = answer.get("reason") or answer.get("status")
        return f"the region takes no servers of this subscription: {reason}"
    objectives = [
        objective
        for version in answer.get("supportedServerVersions") or ()
        for edition in version.get("supportedEditions") or ()
        for objective in edition.get("supportedServiceLevelObjectives") or ()
        if objective["name"] == wanted
    ]
    usable = [one for one in objectives if one.get("status") in _USABLE]
    if not usable:
        reason = next((one["reason"] for one in objectives if one.get("reason")), "it is not offered")
        return f"{wanted}: {reason}"
    if zonal and not any(one.get("zoneRedundant") for one in usable):
        return f"{wanted} cannot be zone-redundant there"
    return None
