"""Refusals of the publishing endpoint, in its JSON and its words.

The shape is documented (https://learn.microsoft.com/azure/event-grid/post-to-custom-topic#response); the
wordings are those of the service's answers as its users report them.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import JSONResponse

#: Every answer names the one version that the endpoint speaks.
VERSIONS = {"api-supported-versions": "2018-01-01"}


@dataclass
class EventGridError(Exception):
    """`code` names the status, `detail` the reason."""

    status: int
    code: str
    detail: str
    message: str

    def __str__(self) -> str:
        return f"{self.detail}: {self.message}"

    def response(self) -> JSONResponse:
        request_id = str(uuid.uuid4())
        now = datetime.now(UTC).strftime("%-m/%-d/%Y %-I:%M:%S %p")
        message = (
            f"{self.message} Report '{request_id}:0:{now} (UTC)' to our forums for assistance or raise a "
            "support ticket."
        )
        details = [{"code": self.detail, "message": message}]
        body = {"error": {"code": self.code, "message": message, "details": details}}
        return JSONResponse(body, self.status, {"x-ms-request-id": request_id, **VERSIONS})


def invalid(message: str, detail: str = "InputJsonInvalid") -> EventGridError:
    return EventGridError(400, "BadRequest", detail, message)


def unauthorized(message: str) -> EventGridError:
    return EventGridError(401, "Unauthorized", "Unauthorized", message)


def too_large(limit: int) -> EventGridError:
    return EventGridError(
        413,
        "RequestEntityTooLarge",
        "PayloadTooLarge",
        f"The maximum size ({limit}) has been exceeded.",
    )


def not_found(url: str) -> EventGridError:
    message = f"No HTTP resource was found that matches the request URI '{url}'."
    return EventGridError(404, "NotFound", "ResourceNotFound", message)


def wrong_method(method: str) -> EventGridError:
    message = f"The requested resource does not support http method '{method}'."
    return EventGridError(405, "MethodNotAllowed", "MethodNotAllowed", message)
