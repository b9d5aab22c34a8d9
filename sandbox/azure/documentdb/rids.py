"""Resource ids (`_rid`): 4 bytes for a database, 8 for a container in it, 16 for a document in that.

They are base64 with `-` for `/`, and never used twice, so a container made anew under an old name is another.
"""

from __future__ import annotations

import base64
import os
import struct
import time
import uuid
from typing import Any


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode().replace("/", "-")


def _raw(rid: str) -> bytes:
    return base64.b64decode(rid.replace("-", "/"))


def stamp() -> dict[str, Any]:
    """Time and ETag of a resource that changes now."""
    return {"_ts": int(time.time()), "_etag": f'"{uuid.uuid4()}"'}


def database() -> str:
    return _text(os.urandom(3) + b"\0")


def container(database_rid: str) -> str:
    """The high bit tells a container from a user."""
    raw = bytearray(os.urandom(4))
    raw[0] |= 0x80
    return _text(_raw(database_rid) + bytes(raw))


def document(container_rid: str, number: int) -> str:
    return _text(_raw(container_rid) + struct.pack("<Q", number))


def partition_key_range(container_rid: str) -> str:
    return _text(_raw(container_rid) + b"\x02" + b"\0" * 6 + b"\x50")
