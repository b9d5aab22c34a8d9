"""`managementPolicies/default`: lifecycle rules, checked and stored. No rule is carried out here.

Source: https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-policy-structure
"""

from __future__ import annotations

import copy
import re
import time
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body
from sandbox.arm.store import timestamp

_MOST = 100
_NAME = re.compile(r"[A-Za-z0-9-]{1,256}")
_BLOB_TYPES = {"blockBlob", "appendBlob"}
_RULES = "properties.policy.rules"


class ManagementPolicyHandler(Handler):
    type = "Microsoft.Storage/storageAccounts/managementPolicies"
    created_status = 200

    async def check(self, put: Put) -> None:
        rules = ((put.body.get("properties") or {}).get("policy") or {}).get("rules") or []
        if not 1 <= len(rules) <= _MOST:
            raise _invalid(f"A policy has 1 to {_MOST} rules, not {len(rules)}.", _RULES)
        names = [str(rule.get("name")).lower() for rule in rules]
        if len(set(names)) < len(names):
            raise _invalid("The names of the rules must be unique.", _RULES)
        for number, rule in enumerate(rules):
            _check_rule(rule, f"{_RULES}[{number}]")

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        for rule in body["properties"]["policy"]["rules"]:
            rule.setdefault("enabled", True)
        body["properties"]["lastModifiedTime"] = timestamp(time.time())
        return body


def _check_rule(rule: Body, where: str) -> None:
    if not _NAME.fullmatch(str(rule.get("name") or "")):
        raise _invalid("A rule's name has 1 to 256 letters, digits and hyphens.", f"{where}.name")
    definition = rule.get("definition") or {}
    actions: dict[str, Any] = definition.get("actions") or {}
    if not any(actions.values()):
        raise _invalid("A rule needs an action.", f"{where}.definition.actions")
    kinds = (definition.get("filters") or {}).get("blobTypes") or []
    if not kinds or not set(kinds) <= _BLOB_TYPES:
        raise _invalid(
            f"A rule names the types of blobs it is for: {', '.join(sorted(_BLOB_TYPES))}.",
            f"{where}.definition.filters.blobTypes",
        )


def _invalid(message: str, target: str) -> ArmError:
    return bad_request("InvalidRequestPropertyValue", message, target)
