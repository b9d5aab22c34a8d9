"""One ARM request as the core sees it: who asks, for which version, with which query and headers."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Principal
from sandbox.arm.resource import Body

_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-(preview|privatepreview|alpha|beta)(\.\d+)?)?")
_MAX_BODY = 4 * 1024 * 1024
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


async def read_body(request: Request) -> Body:
    """The JSON object sent; {} when there is none. Raises ARM's errors for anything else."""
    raw = await request.body()
    if len(raw) > _MAX_BODY:
        raise ArmError(413, "RequestContentTooLarge", f"The request content exceeds {_MAX_BODY} bytes.")
    if not raw.strip():
        return {}
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if not media_type.endswith("json"):
        raise ArmError(
            415,
            "UnsupportedMediaType",
            f"The content media type '{media_type}' is not supported. Only 'application/json' is supported.",
        )
    try:
        body = json.loads(raw, parse_constant=_no_constant)
        # What cannot be written again as UTF-8 (half a surrogate pair) must not be stored.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise _unreadable(f"a JSON object was expected, not {type(body).__name__}")
    if _deeper(body, _MAX_DEPTH):
        raise _unreadable(f"it is nested deeper than {_MAX_DEPTH} levels")
    return body


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _deeper(value: object, levels: int) -> bool:
    if levels < 0:
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_deeper(each, levels - 1) for each in inner)


def _unreadable(why: str) -> ArmError:
    return bad_request(
        "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{why}'."
    )
