"""Storage's refusals in its XML, worded as the service words them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from starlette.responses import Response


@dataclass
class StorageError(Exception):
    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def response(self) -> Response:
        request_id = str(uuid.uuid4())
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        text = f"{self.message}\nRequestId:{request_id}\nTime:{now}"
        body = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<Error><Code>{escape(self.code)}</Code><Message>{escape(text)}</Message></Error>"
        )
        headers = {"x-ms-request-id": request_id, "x-ms-error-code": self.code, **self.headers}
        return Response(body, self.status, headers, media_type="application/xml")


def mismatch() -> StorageError:
    return StorageError(
        403,
        "AuthorizationPermissionMismatch",
        "This request is not authorized to perform this operation using this permission.",
    )


def key_not_permitted() -> StorageError:
    return StorageError(
        403,
        "KeyBasedAuthenticationNotPermitted",
        "Key based authentication is not permitted on this storage account.",
    )


def resource_not_found(host: str) -> StorageError:
    return StorageError(
        404, "ResourceNotFound", f"The specified resource does not exist: there is no account at {host}."
    )


def invalid_query(name: str) -> StorageError:
    return StorageError(
        400,
        "InvalidQueryParameterValue",
        f"Value for one of the query parameters specified in the request URI is invalid: {name}.",
    )


def busy() -> StorageError:
    return StorageError(
        503, "ServerBusy", "The server is currently unable to receive requests. Please retry your request."
    )


def immutable() -> StorageError:
    return StorageError(
        409,
        "BlobImmutableDueToPolicy",
        "This operation is not permitted as the blob is immutable due to a policy.",
    )


def held() -> StorageError:
    return StorageError(
        409,
        "BlobImmutableDueToLegalHold",
        "This operation is not permitted as the blob is immutable due to one or more legal holds.",
    )


def container_locked() -> StorageError:
    return StorageError(
        409,
        "ContainerImmutabilityPolicyLocked",
        "The requested operation is not allowed as the container has a locked immutability policy.",
    )


def container_held() -> StorageError:
    return StorageError(
        409,
        "ContainerHasLegalHold",
        "The requested operation is not allowed as the container has one or more legal holds.",
    )
