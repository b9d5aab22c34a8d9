"""Whether resources are the same ones as before: two exports of a stack's state, compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

#: What Azure gives to a resource when it is made, and to none again: outputs of the provider.
_BORN = ("instanceId", "databaseId", "creationDate", "principalId", "resourceGuid", "immutableId")
#: URN -> what identifies the resource.
Identities = Mapping[str, Mapping[str, str]]


def identities(export: str) -> Identities:
    """Of everything in Azure that the state of `pulumi stack export` has. Raises ValueError."""
    resources = json.loads(export)["deployment"].get("resources") or []
    return {
        one["urn"]: dict(_identity(one))
        for one in resources
        if one["type"].startswith("azure-native:") and not one.get("delete")
    }


def _identity(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    # Azure does not tell cases apart, and answers now in one and now in another.
    yield "id", str(resource["id"]).lower()
    outputs = resource.get("outputs") or {}
    for name in _BORN:
        if isinstance(value := outputs.get(name), str):
            yield name, value.lower()
    principal = (outputs.get("identity") or {}).get("principalId")
    if isinstance(principal, str):
        yield "identity.principalId", principal.lower()


def differences(before: Identities, after: Identities) -> list[str]:
    """What is not in the state any more, is another resource, or is new."""
    wrong = [f"{_said(urn)} is not in the state" for urn in before.keys() - after.keys()]
    wrong += [f"{_said(urn)} is new" for urn in after.keys() - before.keys()]
    for urn in before.keys() & after.keys():
        wrong += [
            f"{_said(urn)} is another: {name} was {was} and is {after[urn].get(name)}"
            for name, was in before[urn].items()
            if after[urn].get(name) != was
        ]
    nothing = [] if before else ["the state had nothing in Azure: nothing was compared"]
    return nothing + sorted(wrong)


def _said(urn: str) -> str:
    """Types of its parents and its own, and its name."""
    return urn.split("::", 2)[2]
