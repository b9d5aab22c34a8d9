"""The SDK's functions: getX reads a resource, listX posts an action, and two that ARM has no part in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.engine.azure_native.arm_client import RefusedError, json_of
from sandbox.engine.azure_native.azure import Azure
from sandbox.engine.azure_native.wording import describe
from sandbox.engine.failures import PlugError
from sandbox.types import table, translate
from sandbox.types.armtype import ArmType
from sandbox.types.rows.functions import FUNCTIONS, Function

_CONFIG = "azure-native:authorization:getClientConfig"
_TOKEN = "azure-native:authorization:getClientToken"  # noqa: S105 - the name of a function


def invoke(token: str, arguments: Mapping[str, Any], azure: Azure) -> dict[str, Any]:
    """The result of a function. Raises PlugError for an unknown one, or with what ARM said."""
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if token == _CONFIG:
        return dict(azure.identity())
    if token == _TOKEN:
        return {"token": azure.client.tokens.get(arguments.get("endpoint"))}
    function = FUNCTIONS.get(token)
    if function is not None:
        row = table.by_token(function.resource)
        if row is not None:
            return _act(row, function, arguments, azure)
    head, _, name = token.rpartition(":")
    row = table.by_token(f"{head}:{name.removeprefix('get')}") if name.startswith("get") else None
    if row is None:
        raise PlugError(f"{token} is not a function that this provider knows")
    return _read(row, arguments, azure)


def _path(row: ArmType, arguments: Mapping[str, Any], azure: Azure) -> str:
    try:
        values = {name: str(value) for name, value in arguments.items()}
        return row.format({"subscriptionId": azure.subscription, **values} if not row.extension else values)
    except KeyError as error:
        raise PlugError(f"missing required argument {error}") from None


def _read(row: ArmType, arguments: Mapping[str, Any], azure: Azure) -> dict[str, Any]:
    path = _path(row, arguments, azure)
    try:
        body = json_of(azure.client.send("GET", path, row.api_version))
    except RefusedError as error:
        raise PlugError(describe("reading", path, None, error)) from error
    identity: dict[str, Any] = {name: body[name] for name in ("id", "name", "type") if name in body}
    return {**identity, **translate.from_wire(row.types[0], body), "azureApiVersion": row.api_version}


def _act(row: ArmType, function: Function, arguments: Mapping[str, Any], azure: Azure) -> dict[str, Any]:
    path = f"{_path(row, arguments, azure)}/{function.action}"
    query = {wire: str(arguments[name]) for name, wire in function.query.items() if name in arguments}
    body = {k: v for k, v in arguments.items() if k not in row.parameters and k not in function.query}
    try:
        return json_of(azure.client.send("POST", path, row.api_version, body or None, query))
    except RefusedError as error:
        raise PlugError(describe("calling", path, None, error)) from error
