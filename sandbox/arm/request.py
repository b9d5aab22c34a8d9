"""One ARM request as the core sees it: who asks, for which version, with which query and headers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from sandbox import jsonbody
from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Principal
from sandbox.arm.resource import Body

_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-(preview|privatepreview|alpha|beta)(\.\d+)?)?")
_MAX_DEPTH = 64


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
        body = jsonbody.parse(raw, _MAX_DEPTH)
    except ValueError as error:
        raise _unreadable(str(error)) from error
    if not isinstance(body, dict):
        raise _unreadable(
            f"a JSON object was expected, not {'null' if body is None else type(body).__name__}"
        )
    return body


def _unreadable(why: str) -> ArmError:
    return bad_request(
        "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{why}'."
    )
