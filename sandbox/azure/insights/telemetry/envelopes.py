"""Telemetry as it is sent: envelopes, in a JSON array or one a line, plain or compressed.

https://github.com/microsoft/ApplicationInsights-Home/tree/master/EndpointSpecs
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox import jsonbody

#: Bytes of a request once it is unpacked. Source: the service's limit for one item, times those of a batch.
UNPACKED = 32 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class EnvelopeError(ValueError):
    """What cannot be taken; its text says why."""


def unpack(raw: bytes, encoding: str) -> bytes:
    """The body without its content encoding. Raises EnvelopeError."""
    if encoding in ("", "identity"):
        return raw
    if encoding not in ("gzip", "deflate"):
        raise EnvelopeError(f"the content encoding '{encoding}' is not known; gzip and deflate are")
    stream = zlib.decompressobj(_GZIP if encoding == "gzip" else zlib.MAX_WBITS)
    try:
        plain = stream.decompress(raw, UNPACKED)
    except zlib.error as error:
        raise EnvelopeError(f"the body is not {encoding}: {error}") from error
    if stream.unconsumed_tail:
        raise EnvelopeError(f"the body is longer than {UNPACKED} bytes once it is unpacked")
    if not stream.eof:
        raise EnvelopeError(f"the body ends in the middle of its {encoding} stream")
    return plain


def parse(plain: bytes) -> list[Any]:
    """The items of a body; what each is, is not looked at. Raises EnvelopeError."""
    text = plain.strip()
    if not text:
        raise EnvelopeError("the body is empty")
    try:
        if text.startswith(b"["):
            items: list[Any] = jsonbody.parse(text)
            return items
        return [jsonbody.parse(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise EnvelopeError(f"the body is no JSON: {error}") from error


def key_of(item: Any) -> str:
    """The instrumentation key that an item names. Raises EnvelopeError."""
    if not isinstance(item, Mapping):
        raise EnvelopeError("an envelope is a JSON object")
    key = item.get("iKey")
    if not isinstance(key, str) or not key:
        raise EnvelopeError("103: Field 'iKey' on type 'Envelope' is required but missing or empty.")
    return key


def time_of(item: Mapping[str, Any]) -> str:
    """When it was, in ISO 8601 and UTC. Raises EnvelopeError."""
    value = item.get("time")
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise EnvelopeError(
            f"102: Field 'time' on type 'Envelope' is not a date and time: {value}"
        ) from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
