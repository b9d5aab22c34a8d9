"""One ARM request as the core sees it: who asks, for which version, with which query and headers."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import json5
from starlette.requests import Request

from sandbox import jsonbody
from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Principal
from sandbox.arm.resource import Body

_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-(preview|privatepreview|alpha|beta)(\.\d+)?)?")
_MAX_DEPTH = 64
_TEMPLATES = re.compile(r"/providers/Microsoft\.Resources/deployments/", re.IGNORECASE)
#: Bytes; the parser is exact and slow.
_MOST_EXTENDED = 512 * 1024


@dataclass(frozen=True)
class Caller:
    """What a verb needs of a request besides its path and body. `path` is as sent, for messages."""

    method: str
    path: str
    principal: Principal
    api_version: str
    #: URL of this ARM as the caller reached it, without a trailing slash.
    base: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    correlation_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def api_version(query: Mapping[str, str]) -> str:
    """The `api-version` of a query (its name is case-insensitive). Raises ARM's errors."""
    for name, value in query.items():
        if name.lower() == "api-version":
            if not _API_VERSION.fullmatch(value.lower()):
                raise bad_request("InvalidApiVersionParameter", f"The api-version '{value}' is invalid.")
            return value.lower()
    raise bad_request(
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


async def read_body(request: Request, *, required: bool = False) -> Body:
    """The JSON object sent; {} when there is none and none is required. Raises ARM's errors for anything
    else."""
    try:
        raw = await jsonbody.read(request)
    except jsonbody.TooLargeError as error:
        raise ArmError(
            413, "RequestContentTooLarge", f"The request content exceeds {jsonbody.SIZE} bytes."
        ) from error
    if not raw.strip():
        if required:
            raise _unreadable("it is empty; a JSON object was expected")
        return {}
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if not media_type.endswith("json"):
        raise ArmError(
            415,
            "UnsupportedMediaType",
            f"The content media type '{media_type}' is not supported. Only 'application/json' is supported.",
        )
    try:
        body = await _parsed(raw, extended=_TEMPLATES.search(request.url.path) is not None)
    except ValueError as error:
        raise _unreadable(str(error)) from error
    if not isinstance(body, dict):
        raise _unreadable(
            f"a JSON object was expected, not {'null' if body is None else type(body).__name__}"
        )
    return body


async def _parsed(raw: bytes, *, extended: bool) -> object:
    """`extended` also takes what Resource Manager does of templates: comments, names without quotes.

    `az deployment` puts a template's text into its request as it is, under a name without quotes.
    """
    try:
        return jsonbody.parse(raw, _MAX_DEPTH)
    except ValueError:
        if not extended or len(raw) > _MOST_EXTENDED:
            raise
        plain = await asyncio.to_thread(_plain, raw.decode("utf-8-sig"))
        return jsonbody.parse(plain.encode(), _MAX_DEPTH)


def _plain(text: str) -> str:
    """The same as JSON. Raises ValueError."""
    try:
        return json.dumps(json5.loads(text))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _unreadable(why: str) -> ArmError:
    return bad_request(
        "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{why}'."
    )
