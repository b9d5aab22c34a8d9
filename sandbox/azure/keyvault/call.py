"""One request of a vault's data plane, and the pages that lists are answered in."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from sandbox.arm.resource import Resource
from sandbox.azure.keyvault import errors, wire
from sandbox.azure.keyvault.access import AnyOperation

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """One authorized-to-be request on one vault."""

    request: Request
    vault: Resource
    body: Mapping[str, Any]
    bundles: wire.Bundles
    authorize: Callable[[AnyOperation, str | None], None]

    @property
    def key(self) -> str:
        return self.vault.id.name

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    def name(self) -> str:
        return wire.check_name(self.request.path_params["name"])

    def version(self) -> str:
        return wire.check_version(self.request.path_params.get("version", ""))


Endpoint = Callable[[Call], Awaitable[Any]]


async def page(
    call: Call,
    read: Callable[[str, int], Sequence[T]],
    key: Callable[[T], str],
    item: Callable[[T], dict[str, Any]],
) -> dict[str, Any]:
    """One page; the skip token is the last key shown, so that a page survives changes before it."""
    size = wire.page_size(call.query)
    after = _read_token(call.query.get("$skiptoken"))
    found = await asyncio.to_thread(read, after, size + 1)
    link = None
    if len(found) > size:
        query = {
            "api-version": call.query["api-version"],
            "$skiptoken": _token(key(found[size - 1])),
            "maxresults": size,
        }
        link = f"https://{call.request.headers['host']}{call.request.url.path}?{urlencode(query)}"
    return {"value": [item(one) for one in found[:size]], "nextLink": link}


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _read_token(token: str | None) -> str:
    if not token:
        return ""
    try:
        return str(json.loads(base64.urlsafe_b64decode(token)))
    except ValueError as error:
        raise errors.bad_parameter("The $skiptoken is not one that this vault gave.") from error
