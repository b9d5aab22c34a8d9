"""Entra's refusals: an OAuth error code, an AADSTS number and a sentence, with ids to find it by."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass
class EntraError(Exception):
    """`number` is the AADSTS code. Source: "Microsoft Entra authentication and authorization error codes"."""

    status: int
    error: str
    number: int
    message: str

    def __str__(self) -> str:
        return f"AADSTS{self.number}: {self.message}"

    def body(self, login: str, correlation_id: str | None = None) -> dict[str, Any]:
        """The answer's body; `login` is the URL of the login endpoint."""
        trace, correlation = str(uuid.uuid4()), correlation_id or str(uuid.uuid4())
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": f"{self} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
            "error_codes": [self.number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"{login}/error?code={self.number}",
        }


def missing_parameter(name: str) -> EntraError:
    message = f"The request body must contain the following parameter: '{name}'."
    return EntraError(400, "invalid_request", 900144, message)


def unknown_tenant(tenant: str) -> EntraError:
    return EntraError(
        400,
        "invalid_request",
        90002,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing "
        "into the "
        "correct cloud. Check with your subscription administrator.",
    )
