"""`Microsoft.CognitiveServices/accounts/raiPolicies`: content filters of an account's deployments.

https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
"""

from __future__ import annotations

import copy
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parent
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.cognitiveservices.deployed import DEPLOYMENTS
from sandbox.services import Store

TYPE = "Microsoft.CognitiveServices/accounts/raiPolicies"
#: Policies that every account has.
BUILT_IN = ("Microsoft.Default", "Microsoft.DefaultV2")
#: Graded by severity; the others find something or do not.
_GRADED = ("hate", "selfharm", "sexual", "violence")
_FOUND = (
    "indirect attack",
    "jailbreak",
    "profanity",
    "protected material code",
    "protected material text",
    "ungrounded material",
    "task drift",
)


class RaiPolicyHandler(Handler):
    type = TYPE

    async def check(self, put: Put) -> None:
        if put.id.name.lower() in {name.lower() for name in BUILT_IN}:
            raise bad_request("InvalidRaiPolicy", f"The policy '{put.id.name}' is Azure's own.", "name")
        properties = put.body.get("properties") or {}
        base = properties.get("basePolicyName")
        if base is not None:
            require(self.services.store, _account(put.id), base, "properties.basePolicyName")
        for number, entry in enumerate(properties.get("contentFilters") or ()):
            _check_filter(entry, f"properties.contentFilters[{number}]")

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body.setdefault("properties", {})
        properties.setdefault("basePolicyName", BUILT_IN[0])
        properties.setdefault("mode", "Default")
        properties["type"] = "UserManaged"
        for entry in properties.setdefault("contentFilters", []):
            entry.setdefault("enabled", True)
            entry.setdefault("blocking", True)
        return body

    async def check_delete(self, resource: Resource) -> None:
        for user in self.services.store.list(type=DEPLOYMENTS, under=_account(resource.id)):
            if str(user.properties.get("raiPolicyName", "")).lower() == resource.id.name.lower():
                raise ArmError(
                    409,
                    "RaiPolicyInUse",
                    f"The policy '{resource.id.name}' is used by the deployment '{user.id.name}'.",
                )


def require(store: Store, account: str, name: str, target: str) -> None:
    """Raises ArmError 400 unless the account has the policy."""
    if name.lower() in {known.lower() for known in BUILT_IN}:
        return
    if store.get(f"{account}/raiPolicies/{name}") is None:
        raise bad_request(
            "InvalidResourceProperties", f"The content filter policy '{name}' does not exist.", target
        )


def _account(id: ResourceId) -> str:  # noqa: A002
    above = parent(id)
    return above.text if above else ""


def _check_filter(entry: dict[str, Any], path: str) -> None:
    name = str(entry.get("name") or "")
    if name.lower() not in (*_GRADED, *_FOUND):
        raise bad_request(
            "InvalidRaiPolicy",
            f"'{name}' is no content filter; there are {', '.join((*_GRADED, *_FOUND))}.",
            f"{path}.name",
        )
    if not entry.get("source"):
        raise bad_request("InvalidRaiPolicy", "A filter has a source.", f"{path}.source")
    if name.lower() in _GRADED and not entry.get("severityThreshold"):
        raise bad_request(
            "InvalidRaiPolicy", f"'{name}' needs a severity threshold.", f"{path}.severityThreshold"
        )
