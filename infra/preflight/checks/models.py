"""The model: offered in the regions, not about to end, and quota left for its capacity."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from infra.preflight.report import Finding, check, missing, ok, unknown
from infra.preflight.subject import Subject

_PROVIDER, _VERSION = "Microsoft.CognitiveServices", "2024-10-01"
#: The kind of deployment that `infra.azure.openai` makes.
DEPLOYMENT_SKU = "GlobalStandard"
_REQUEST = "https://aka.ms/oai/stuquotarequest"
_SOON = timedelta(days=90)
# As the API says: for those alone who have had it, for nobody, and with successors.
# https://learn.microsoft.com/azure/foundry/openai/concepts/model-retirements
_CLOSING, _RETIRED, _LEGACY = "Deprecating", "Deprecated", "Legacy"


def model(subject: Subject) -> Iterator[Finding]:
    """https://learn.microsoft.com/rest/api/aiservices/accountmanagement/models/list and …/usages/list"""
    names, wanted = subject.stack.names, subject.stack.settings.model
    for region, account in zip(subject.stack.regions, (names.openai, names.openai_backup), strict=False):
        about, place = f"model in {region}", subject.located(_PROVIDER, region)
        offered = [
            offer for entry in subject.arm.list(f"{place}/models", _VERSION) if (offer := _offer(entry))
        ]
        own = _deployed(subject, account)
        found = next(
            (one for one in offered if (one.name, one.version) == (wanted.name, wanted.version)), None
        )
        if found is None:
            absent = f"{wanted.name} {wanted.version} is not offered as {DEPLOYMENT_SKU}"
            yield missing(about, absent, _another(subject, region, offered))
            continue
        fault = _closed(found, deployed=bool(own))
        if fault is not None:
            yield missing(about, f"{found} {fault}", _another(subject, region, offered))
            continue
        if found.ends_soon:
            yield check(about, f"{found} is retired on {found.ends}", _another(subject, region, offered))
        usages = subject.arm.list(f"{place}/usages", _VERSION)
        yield _capacity(subject, region, found.quota, own, usages)


@dataclass(frozen=True)
class Offer:
    """A model that an account of kind OpenAI may deploy as the program does, and the quota it counts for."""

    name: str
    version: str
    chat: bool
    status: str
    ends: date | None
    quota: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def lasting(self) -> bool:
        """Worth changing to: anybody may deploy it, and it neither ends soon nor has successors."""
        return self.status not in {_CLOSING, _RETIRED, _LEGACY} and not self.ends_soon

    @property
    def ends_soon(self) -> bool:
        return self.ends is not None and self.ends - _today() <= _SOON


def _offer(entry: Mapping[str, Any]) -> Offer | None:
    told = entry["model"]
    sku = next((one for one in told.get("skus") or () if one["name"] == DEPLOYMENT_SKU), None)
    if entry.get("kind") != "OpenAI" or sku is None:
        return None
    ends = sku.get("deprecationDate") or (told.get("deprecation") or {}).get("inference")
    return Offer(
        name=told["name"],
        version=told["version"],
        chat=(told.get("capabilities") or {}).get("chatCompletion") == "true",
        status=told.get("lifecycleStatus") or "",
        ends=datetime.fromisoformat(ends).date() if ends else None,
        quota=sku.get("usageName") or "",
    )


def _closed(offer: Offer, *, deployed: bool) -> str | None:
    """Why it cannot be deployed; `deployed`: the stack has it already."""
    if offer.ends is not None and offer.ends <= _today():
        return f"was retired on {offer.ends}"
    if offer.status == _RETIRED:
        return "is retired"
    if offer.status == _CLOSING and not deployed:
        return "is deprecated: a subscription that has never had it cannot deploy it"
    return None


def _another(subject: Subject, region: str, offered: Sequence[Offer]) -> str:
    """The command that takes the model most like the wanted one, the newest first."""
    stack, wanted = subject.stack, subject.stack.settings.model
    lasting = [one for one in offered if one.chat and one.lasting]
    like = difflib.get_close_matches(wanted.name, {one.name for one in lasting}, n=1, cutoff=0)
    if not like:
        return f"az cognitiveservices model list --location {region} --output table"
    version = max(one.version for one in lasting if one.name == like[0])
    return f"{stack.set('model.name', like[0])} && {stack.set('model.version', version)}"


def _today() -> date:
    return datetime.now(UTC).date()


def _capacity(
    subject: Subject, region: str, quota: str, own: int, usages: Sequence[Mapping[str, Any]]
) -> Finding:
    about, wanted = f"model in {region}", subject.stack.settings.model
    usage = next((one for one in usages if one["name"]["value"].lower() == quota.lower()), None)
    if usage is None:
        return unknown(about, f"Azure lists no quota {quota or 'of this model'}", f"see {_REQUEST}")
    used, limit = int(usage["currentValue"]), int(usage["limit"])
    found = (
        f"{wanted.name} {wanted.version}: {wanted.capacity} thousand tokens a minute, "
        f"{used} of {limit} in use, {own} of them by this stack"
    )
    left = limit - used + own
    if wanted.capacity <= left:
        return ok(about, found)
    ask = f"ask for {used - own + wanted.capacity} of {quota}: {_REQUEST}"
    lower = f"{subject.stack.set('model.capacity', left)}, or " if left > 0 else ""
    return missing(about, f"{found}: {wanted.capacity - left} too few", lower + ask)


def _deployed(subject: Subject, account: str) -> int:
    """Capacity that the stack's own deployment has."""
    name = subject.stack.settings.model.name
    deployment = subject.arm.find(
        f"{subject.group}/providers/{_PROVIDER}/accounts/{account}/deployments/{name}", _VERSION
    )
    return int(((deployment or {}).get("sku") or {}).get("capacity") or 0)
