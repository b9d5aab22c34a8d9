"""Answers of the data plane: JSON with the headers that clients read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.azure.documentdb.errors import CosmosError

_VERSION = "Microsoft.Azure.Documents.Common/2.14.0"


def reply(
    status: int,
    body: Any = None,
    *,
    etag: str | None = None,
    charge: float = 1.0,
    lsn: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`lsn` makes the session token: what was written up to it is seen by who sends it back."""
    known = {
        "x-ms-activity-id": str(uuid.uuid4()),
        "x-ms-request-charge": str(charge),
        "x-ms-version": "2018-12-31",
        "x-ms-gatewayversion": "2.0.0",
        "x-ms-schemaversion": "1.19",
        **({"x-ms-session-token": f"0:-1#{lsn}", "lsn": str(lsn)} if lsn is not None else {}),
        **({"etag": etag} if etag is not None else {}),
        **(headers or {}),
    }
    content = b"" if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(content, status, known, media_type="application/json")


def refusal(error: CosmosError) -> Response:
    activity = str(uuid.uuid4())
    message = f"{error.message}\r\nActivityId: {activity}, {_VERSION}"
    headers = {"x-ms-activity-id": activity, **error.headers}
    if error.substatus is not None:
        headers["x-ms-substatus"] = str(error.substatus)
    return reply(error.status, {"code": error.code, "message": message}, charge=0.0, headers=headers)


def feed(rid: str, name: str, rows: list[Any]) -> dict[str, Any]:
    """A page of a collection."""
    return {"_rid": rid, name: rows, "_count": len(rows)}
