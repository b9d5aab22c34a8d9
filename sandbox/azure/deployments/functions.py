"""The template functions this Azure evaluates.

`uniqueString` is not among them: Azure does not publish its hash, and another one would name other resources.
https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.arm.resource import Resource
from sandbox.azure.deployments.expressions import Functions
from sandbox.azure.deployments.problems import invalid_template

_PLACE = re.compile(r"\{\{|\}\}|\{(\d+)\}|[{}]")


def of_scope(group: Resource, tenant_id: str) -> Functions:
    """What can be called anywhere in a template deployed to a resource group."""
    subscription = str(group.id.subscription)
    shown = {
        "id": group.id.text,
        "name": group.id.name,
        "type": group.id.type,
        "location": group.location,
        "tags": group.body.get("tags") or {},
        "properties": {"provisioningState": "Succeeded"},
    }
    account = {
        "id": f"/subscriptions/{subscription}",
        "subscriptionId": subscription,
        "tenantId": tenant_id,
    }

    def resource_group(arguments: list[Any]) -> Any:
        _none("resourceGroup", arguments)
        return shown

    def the_subscription(arguments: list[Any]) -> Any:
        _none("subscription", arguments)
        return account

    return {
        "concat": _concat,
        "format": _format,
        "resourceid": lambda arguments: _resource_id(arguments, subscription, group.id.name),
        "resourcegroup": resource_group,
        "subscription": the_subscription,
    }


def _none(function: str, arguments: list[Any]) -> None:
    if arguments:
        raise invalid_template(f"The template function '{function}' takes no arguments")


def _concat(arguments: list[Any]) -> Any:
    """Strings to a string, arrays to an array."""
    if not arguments:
        raise invalid_template("The template function 'concat' needs at least one argument")
    if all(isinstance(item, list) for item in arguments):
        return [element for item in arguments for element in item]
    if any(isinstance(item, list | Mapping) or item is None for item in arguments):
        raise invalid_template(
            "The provided parameters for the template function 'concat' are invalid. Either all or none of "
            "the parameters must be an array"
        )
    return "".join(_text(item) for item in arguments)


def _format(arguments: list[Any]) -> str:
    """.NET's composite formatting, without its format strings (`{0:N2}`)."""
    if len(arguments) < 2 or not isinstance(arguments[0], str):
        raise invalid_template("The template function 'format' needs a format string and arguments")
    form, *values = arguments

    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None or int(match[1]) >= len(values):
            raise invalid_template(
                f"Unable to format '{form}': each brace must be a pair, or a place from {{0}} to "
                f"{{{len(values) - 1}}}"
            )
        return _text(values[int(match[1])])

    return _PLACE.sub(fill, form)


def _text(value: Any) -> str:
    """As .NET writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    return "" if value is None else json.dumps(value, separators=(",", ":"))


def _resource_id(arguments: list[Any], subscription: str, group: str) -> str:
    """`resourceId([subscriptionId], [resourceGroupName], type, name, …)`: a name per segment of the type."""
    if not all(isinstance(item, str) for item in arguments):
        raise invalid_template("The template function 'resourceId' takes only strings")
    at = next((number for number, item in enumerate(arguments) if "/" in item), None)
    if at is None or at > 2:
        raise invalid_template(
            "Unable to evaluate template language function 'resourceId': no argument is a fully qualified "
            "resource type such as 'Microsoft.KeyVault/vaults'"
        )
    if at == 2:
        subscription, group = arguments[:2]
    elif at == 1 and _is_guid(arguments[0]):
        subscription = arguments[0]
    elif at == 1:
        group = arguments[0]
    namespace, *types = arguments[at].split("/")
    names = arguments[at + 1 :]
    if len(names) != len(types):
        raise invalid_template(
            f"Unable to evaluate template language function 'resourceId': the type '{arguments[at]}' "
            f"requires '{len(types)}' resource name argument(s), '{len(names)}' were given"
        )
    tail = "".join(f"/{kind}/{name}" for kind, name in zip(types, names, strict=True))
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{namespace}{tail}"


def _is_guid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
