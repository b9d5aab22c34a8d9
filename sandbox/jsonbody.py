"""JSON as the planes take it from the wire: strictly RFC 8259, bounded in size and depth."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.requests import Request

#: Levels of objects and arrays within each other. Source: Cosmos DB's limit, the largest that is documented.
DEPTH = 128
#: Bytes. Source: Azure Resource Manager's limit, the largest of those that take JSON.
SIZE = 4 * 1024 * 1024


class TooLargeError(ValueError):
    """More bytes than are read."""


async def read(request: Request, limit: int = SIZE) -> bytes:
    """The body. Raises TooLargeError as soon as it is longer than `limit` bytes."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > limit:
            raise TooLargeError(f"the body is longer than {limit} bytes")
    return bytes(raw)


def parse(raw: bytes, depth: int = DEPTH) -> Any:
    """The value. Raises ValueError that says what is wrong: not UTF-8, not JSON, numbers that JSON has not,
    text that cannot be written again, nested too deeply."""
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise _too_deep(depth) from None
    if _deeper(value, depth):
        raise _too_deep(depth)
    if b"\\u" in raw:
        # Half a surrogate pair can be read, but never be stored or sent.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def check_media_type(request: Request) -> None:
    """Raises ValueError unless the body is said to be JSON, or nothing is said of it."""
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if not media_type.endswith("json"):
        raise ValueError(f"the content type is '{media_type}', not 'application/json'")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


def _deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(each, levels - 1) for each in inner)


def _too_deep(depth: int) -> ValueError:
    return ValueError(f"it is nested deeper than {depth} levels")
