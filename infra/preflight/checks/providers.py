"""Resource providers: registered in the subscription, and what they offer in the stack's regions.

https://learn.microsoft.com/rest/api/resources/providers/list
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from infra.preflight.declared import declared, namespaces
from infra.preflight.report import Finding, missing, ok
from infra.preflight.subject import Subject
from infra.settings.types import Region


def registered(subject: Subject) -> Iterator[Finding]:
    """The program's provider registers nothing by itself.

    https://github.com/pulumi/pulumi-azure-native/issues/3479
    """
    known, wanted = _known(subject), namespaces(subject.stack.settings)
    absent = [name for name in wanted if not _registered(known.get(name.lower()) or {})]
    if not absent:
        yield ok("providers", f"all {len(wanted)} are registered")
        return
    yield missing(
        "providers",
        f"{len(absent)} of {len(wanted)} are not registered: {', '.join(absent)}",
        " && ".join(
            f"az provider register --wait --subscription {subject.account.subscription} --namespace {name}"
            for name in absent
        ),
    )


def offered(subject: Subject) -> Iterator[Finding]:
    """Every type that lies in a region, in that region."""
    offers, stack = _offers(_known(subject)), subject.stack
    wanted = [
        (one.type, region) for one in declared(stack.settings) for region in one.regions(stack.settings)
    ]
    absent = [(type_, region) for type_, region in wanted if region not in offers.get(type_.lower(), ())]
    if not absent:
        yield ok("regions", f"{len(wanted)} types are offered in {' and '.join(_regions(wanted))}")
        return
    for region in dict.fromkeys(region for _, region in absent):
        types = [type_ for type_, there in absent if there == region]
        yield missing(
            "regions", f"{', '.join(types)} is not offered in {region}", _elsewhere(subject, region, offers)
        )


def _regions(wanted: Iterable[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(region for _, region in wanted))


def _known(subject: Subject) -> dict[str, Mapping[str, Any]]:
    listed = subject.arm.list(f"{subject.subscription}/providers", "2021-04-01")
    return {str(provider["namespace"]).lower(): provider for provider in listed}


def _registered(provider: Mapping[str, Any]) -> bool:
    return (
        provider.get("registrationState") == "Registered"
        or provider.get("registrationPolicy") == "RegistrationFree"
    )


def _offers(known: Mapping[str, Mapping[str, Any]]) -> dict[str, set[str]]:
    """Regions by type. Azure lists them by their display names: `West Europe` is `westeurope`."""
    return {
        f"{namespace}/{one['resourceType']}".lower(): {
            str(place).replace(" ", "").lower() for place in one.get("locations") or ()
        }
        for namespace, provider in known.items()
        for one in provider.get("resourceTypes") or ()
    }


def _elsewhere(subject: Subject, region: str, offers: Mapping[str, set[str]]) -> str:
    """The command that moves there what is in `region`, to a region that offers all of it."""
    stack = subject.stack
    own = region == stack.settings.location
    types = [one.type for one in declared(stack.settings) if region in one.regions(stack.settings)]
    fitting = [
        other
        for other in get_args(Region)
        if other not in stack.regions and all(other in offers.get(type_.lower(), ()) for type_ in types)
    ]
    if not fitting:
        return "none of the regions that the settings know offers everything"
    if own:
        return f"pulumi config set --stack {stack.name} azure-native:location {fitting[0]}"
    return stack.set("paired_location", fitting[0])
