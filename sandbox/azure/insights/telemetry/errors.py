"""Refusals of the query API, in its shape: `{"error": {"message", "code", "innererror"?}}`.

https://learn.microsoft.com/azure/azure-monitor/logs/api/errors
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import JSONResponse


@dataclass
class QueryError(Exception):
    status: int
    code: str
    message: str
    inner: tuple[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def response(self) -> JSONResponse:
        error: dict[str, object] = {"message": self.message, "code": self.code}
        if self.inner is not None:
            error["innererror"] = {"code": self.inner[0], "message": self.inner[1]}
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else None
        return JSONResponse({"error": error}, self.status, headers)


def bad_argument(inner: str, message: str) -> QueryError:
    return QueryError(400, "BadArgumentError", "The request had some invalid properties", (inner, message))
