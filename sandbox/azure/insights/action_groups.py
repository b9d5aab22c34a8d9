"""`Microsoft.Insights/actionGroups`: who is told, and how."""

from __future__ import annotations

import copy
import re
from typing import Any
from urllib.parse import urlsplit

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body
from sandbox.azure import checks
from sandbox.services import Store

TYPE = "Microsoft.Insights/actionGroups"
_SHORT_NAME = 12
#: Kinds of receivers, and how many a group may have where Azure says.
#: https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits#action-groups
RECEIVERS = {
    "armRoleReceivers": 10,
    "automationRunbookReceivers": 10,
    "azureAppPushReceivers": 10,
    "azureFunctionReceivers": 10,
    "emailReceivers": 1000,
    "eventHubReceivers": 10,
    "itsmReceivers": 10,
    "logicAppReceivers": 10,
    "smsReceivers": 10,
    "voiceReceivers": 10,
    "webhookReceivers": 10,
}
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class ActionGroupHandler(Handler):
    type = TYPE

    async def check(self, put: Put) -> None:
        properties = put.body["properties"]
        short = properties["groupShortName"]
        if not 1 <= len(short) <= _SHORT_NAME:
            raise _invalid(
                f"The action group short name '{short}' is not 1 to {_SHORT_NAME} characters long.",
                "groupShortName",
            )
        names: set[str] = set()
        for kind, most in RECEIVERS.items():
            receivers = properties.get(kind) or []
            if len(receivers) > most:
                raise _invalid(f"An action group has at most {most} {kind}, not {len(receivers)}.", kind)
            for number, receiver in enumerate(receivers):
                path = f"{kind}[{number}]"
                name = str(receiver.get("name") or "")
                if not name or name.lower() in names:
                    said = f"'{name}' is used twice" if name else "a receiver has none"
                    raise _invalid(f"Receivers of an action group have unique names: {said}.", path)
                names.add(name.lower())
                _check_address(kind, receiver, path)

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body["properties"]
        for kind in RECEIVERS:
            properties[kind] = properties.get(kind) or []
            for receiver in properties[kind]:
                if kind in ("emailReceivers", "smsReceivers"):
                    receiver["status"] = "Enabled"
                if kind not in ("smsReceivers", "voiceReceivers", "azureAppPushReceivers", "itsmReceivers"):
                    receiver.setdefault("useCommonAlertSchema", False)
        for webhook in properties["webhookReceivers"]:
            webhook.setdefault("useAadAuth", False)
        return body


def require_groups(store: Store, ids: list[Any], target: str) -> None:
    """Raises ArmError 400 unless every id names an action group; `target` is the array's path."""
    for number, reference in enumerate(ids):
        checks.require(store, reference, f"{target}[{number}]", TYPE)


def _check_address(kind: str, receiver: dict[str, Any], path: str) -> None:
    if kind == "emailReceivers" and not _MAIL.fullmatch(receiver["emailAddress"]):
        raise _invalid(f"'{receiver['emailAddress']}' is no e-mail address.", f"{path}.emailAddress")
    if kind == "webhookReceivers":
        address = urlsplit(receiver["serviceUri"])
        if address.scheme not in ("http", "https") or not address.hostname:
            raise _invalid("A webhook's serviceUri must be an http or https URL.", f"{path}.serviceUri")
    if kind in ("smsReceivers", "voiceReceivers") and not receiver["phoneNumber"].isdigit():
        raise _invalid(f"'{receiver['phoneNumber']}' is no phone number.", f"{path}.phoneNumber")


def _invalid(message: str, path: str) -> ArmError:
    return bad_request("InvalidActionGroup", message, f"properties.{path}")
