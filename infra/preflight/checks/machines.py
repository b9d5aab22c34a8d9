"""The nodes' machines: sizes to be had in the zones, and cores for as many as the pools may grow to."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.preflight.report import Finding, missing, ok, unknown
from infra.preflight.subject import Subject

_COMPUTE = "Microsoft.Compute"
#: Additional nodes during an upgrade, as `infra.azure.pools` asks for them: a number, or a share of the pool.
SURGE = {"system": "1", "user": "33%"}
_REGIONAL = "cores"


@dataclass(frozen=True)
class Size:
    """A machine size in one region. `zones`: where this subscription gets it; `sold`: whether at all."""

    name: str
    family: str
    cores: int
    zones: frozenset[str]
    sold: bool


def sizes(subject: Subject) -> Iterator[Finding]:
    """https://learn.microsoft.com/rest/api/compute/resource-skus/list"""
    stack = subject.stack
    cluster, region = stack.settings.cluster, stack.settings.location
    known, zones = _sizes(subject), frozenset(cluster.zones)
    where = f"{region}, zones {' '.join(sorted(zones))}" if zones else region
    for pool, wanted in (("system", cluster.system.size), ("user", cluster.user.size)):
        size = known.get(wanted.lower())
        about = f"{pool} nodes' size"
        if size is not None and size.sold and zones <= size.zones:
            yield ok(about, f"{wanted} in {where}")
            continue
        fault = "is not offered to this subscription"
        if size is not None and size.sold:
            fault = f"is offered in zones {' '.join(sorted(size.zones)) or 'none'} only"
        yield missing(about, f"{wanted} {fault}; wanted in {where}", _other(subject, pool, wanted, known))


def cores(subject: Subject) -> Iterator[Finding]:
    """At the pools' maxima while both are upgraded, less what the stack's nodes have already.

    https://learn.microsoft.com/rest/api/compute/usage/list
    """
    region, known = subject.stack.settings.location, _sizes(subject)
    needed: Counter[str] = Counter()
    for wanted, nodes in _peaks(subject):
        size = known.get(wanted.lower())
        if size is None:
            yield unknown("cores", f"no such size as {wanted} is listed in {region}", "see the sizes above")
            return
        needed[size.family] += nodes * size.cores
    had = _in_use(subject, known)
    needed[_REGIONAL], had[_REGIONAL] = needed.total(), had.total()
    listed = subject.arm.list(f"{subject.located(_COMPUTE, region)}/usages", "2024-07-01")
    usages = {str(usage["name"]["value"]).lower(): usage for usage in listed}
    for quota, count in sorted(needed.items()):
        yield _quota(subject, quota, count, had[quota], usages.get(quota.lower()))


def nodes_at_most(maximum: int, surge: str) -> int:
    """Percentages are rounded up. https://learn.microsoft.com/azure/aks/upgrade-aks-cluster#customize-node-surge-upgrade"""
    if surge.endswith("%"):
        return maximum + math.ceil(maximum * int(surge[:-1]) / 100)
    return maximum + int(surge)


def _peaks(subject: Subject) -> Iterator[tuple[str, int]]:
    cluster = subject.stack.settings.cluster
    for pool, settings in (("system", cluster.system), ("user", cluster.user)):
        yield settings.size, nodes_at_most(settings.maximum, SURGE[pool])


def _quota(subject: Subject, quota: str, needed: int, had: int, usage: Mapping[str, Any] | None) -> Finding:
    region = subject.stack.settings.location
    about = f"cores: {'region' if quota == _REGIONAL else quota}"
    if usage is None:
        return unknown(
            about, f"Azure lists no such quota in {region}", "az vm list-usage --location " + region
        )
    used, limit = int(usage["currentValue"]), int(usage["limit"])
    found = f"{needed} at most, {used} of {limit} in use in {region}, {had} of them by this stack"
    reached = used - had + needed
    if reached <= limit:
        return ok(about, found)
    return missing(
        about,
        f"{found}: {reached - limit} too few",
        f"az quota update --scope {subject.located(_COMPUTE, region)} --resource-name {quota} "
        f"--resource-type dedicated --limit-object value={reached}",
    )


def _in_use(subject: Subject, known: Mapping[str, Size]) -> Counter[str]:
    """Cores of the stack's nodes by family. https://learn.microsoft.com/rest/api/aks/managed-clusters/get"""
    name = subject.stack.names.cluster
    cluster = subject.arm.find(
        f"{subject.group}/providers/Microsoft.ContainerService/managedClusters/{name}", "2024-09-01"
    )
    used: Counter[str] = Counter()
    for pool in (cluster or {}).get("properties", {}).get("agentPoolProfiles") or ():
        size = known.get(str(pool["vmSize"]).lower())
        if size is not None:
            used[size.family] += int(pool.get("count") or 0) * size.cores
    return used


def _sizes(subject: Subject) -> dict[str, Size]:
    """By name in lower case."""
    region = subject.stack.settings.location
    path = f"{subject.subscription}/providers/{_COMPUTE}/skus"
    listed = subject.arm.list(path, "2021-07-01", f"location eq '{region}'")
    found = (_size(sku, region) for sku in listed if sku["resourceType"] == "virtualMachines")
    return {size.name.lower(): size for size in found}


def _size(sku: Mapping[str, Any], region: str) -> Size:
    capabilities = {one["name"]: one["value"] for one in sku.get("capabilities") or ()}
    places = [place for place in sku.get("locationInfo") or () if _same(place["location"], region)]
    zones = {zone for place in places for zone in place.get("zones") or ()}
    sold = bool(places)
    for restriction in sku.get("restrictions") or ():
        information = restriction.get("restrictionInfo") or {}
        if not any(_same(place, region) for place in information.get("locations") or ()):
            continue
        if restriction["type"] == "Location":
            sold = False
        zones -= set(information.get("zones") or ())
    return Size(sku["name"], sku.get("family", ""), int(capabilities.get("vCPUs", 0)), frozenset(zones), sold)


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _other(subject: Subject, pool: str, wanted: str, known: Mapping[str, Size]) -> str:
    """The command that takes the most similar size that is to be had."""
    zones = frozenset(subject.stack.settings.cluster.zones)
    like = known.get(wanted.lower())
    fitting = _names(
        size
        for size in known.values()
        if size.sold and zones <= size.zones and (like is None or size.cores == like.cores)
    )
    closest = difflib.get_close_matches(wanted, fitting, n=1, cutoff=0)
    if not closest:
        return f"az vm list-skus --location {subject.stack.settings.location} --zone --output table"
    return subject.stack.set(f"cluster.{pool}.size", closest[0])


def _names(found: Iterable[Size]) -> list[str]:
    return sorted(size.name for size in found)
