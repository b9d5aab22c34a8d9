"""What the gateway speaks of PostgreSQL's protocol: how a connection begins, until it is passed on.

Source: https://www.postgresql.org/docs/15/protocol-message-formats.html. Integers are big-endian; a message's
length counts itself.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping

ASK_TLS = 80877103
ASK_GSS = 80877104
CANCEL = 80877102
VERSION_3 = 3 << 16

YES, NO = b"S", b"N"
ASK_PASSWORD = b"R" + struct.pack(">II", 8, 3)

#: Bytes that a first message, and a password (a token), may have.
_LONGEST_START, LONGEST_PASSWORD = 10_000, 65_536


class ProtocolError(Exception):
    """The peer does not speak the protocol."""


async def read_start(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The first message: its code and what follows."""
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    return await _rest_of_start(reader, length)


async def _rest_of_start(reader: asyncio.StreamReader, length: int) -> tuple[int, bytes]:
    if not 8 <= length <= _LONGEST_START:
        raise ProtocolError(f"a first message of {length} bytes")
    rest = await reader.readexactly(length - 4)
    return int.from_bytes(rest[:4], "big"), rest[4:]


def parameters(content: bytes) -> dict[str, str]:
    """The parameters of a start-up message: user, database, application_name, …"""
    words = content.split(b"\0")
    if words[-2:] != [b"", b""]:
        raise ProtocolError("a start-up message without an end")
    words = words[:-2]
    if len(words) % 2:
        raise ProtocolError("a parameter without a value")
    try:
        texts = [word.decode() for word in words]
    except UnicodeDecodeError as error:
        raise ProtocolError("a parameter that is not UTF-8") from error
    return dict(zip(texts[::2], texts[1::2], strict=True))


def start(given: Mapping[str, str]) -> bytes:
    """A start-up message."""
    words = [word for pair in given.items() for word in pair]
    content = struct.pack(">I", VERSION_3) + b"".join(word.encode() + b"\0" for word in words) + b"\0"
    return struct.pack(">I", len(content) + 4) + content


async def read_password(reader: asyncio.StreamReader) -> str:
    """The answer to `ASK_PASSWORD`."""
    kind = await reader.readexactly(1)
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    if kind != b"p" or not 5 <= length <= LONGEST_PASSWORD:
        raise ProtocolError("a password was expected")
    return (await reader.readexactly(length - 4)).rstrip(b"\0").decode(errors="replace")


def failure(state: str, message: str) -> bytes:
    """A fatal ErrorResponse; `state` is the SQLSTATE."""
    fields = {"S": "FATAL", "V": "FATAL", "C": state, "M": message}
    content = b"".join(key.encode() + text.encode() + b"\0" for key, text in fields.items()) + b"\0"
    return b"E" + struct.pack(">I", len(content) + 4) + content


def cancel(key: bytes) -> bytes:
    """A request to cancel what runs; `key` is process id and secret, as the server gave them."""
    return struct.pack(">II", 16, CANCEL) + key


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """One message of the server: its type and the whole of it, as it came."""
    head = await reader.readexactly(5)
    (length,) = struct.unpack(">I", head[1:])
    return head[:1], head + await reader.readexactly(length - 4)
