"""Errors as RFC 9457 problem details, always with the correlation id."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.llm.provider import LLMError
from app.prompts.prompt import InputError
from app.store.executions import StoreError
from app.telemetry.logs import correlation_id
from app.telemetry.redaction import kind as kind_of

log = logging.getLogger(__name__)
_TYPES = "urn:agents:problem:"


def problem(
    status: int, kind: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """A problem document; `kind` names its type, `more` are extension members."""
    document = {
        "type": _TYPES + kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "correlationId": correlation_id.get(),
        **more,
    }
    return JSONResponse(document, status, headers, media_type="application/problem+json")


def _invalid(problems: list[tuple[str, str]]) -> JSONResponse:
    listed = [{"path": path, "message": message} for path, message in problems]
    return problem(
        422, "invalid-input", "The request does not fit the agent's input schema.", problems=listed
    )


async def on_input_error(_: Request, error: InputError) -> JSONResponse:
    return _invalid([(f"$.input{path.removeprefix('$')}", message) for path, message in error.problems])


async def on_request_error(_: Request, error: RequestValidationError) -> JSONResponse:
    return _invalid([(".".join(map(str, ("$", *item["loc"][1:]))), item["msg"]) for item in error.errors()])


async def on_llm_error(_: Request, error: LLMError) -> JSONResponse:
    # Not what the error says: it may quote the model's answer.
    log.warning("%s failed: %s", error.provider, error.status or kind_of(error.__cause__ or error))
    headers = {"Retry-After": error.retry_after} if error.retry_after else None
    status = 503 if error.status in {None, 429} or (error.status or 0) >= 500 else 502
    return problem(
        status,
        "llm-failed",
        str(error),
        headers=headers,
        provider=error.provider,
        providerStatus=error.status,
    )


async def on_store_error(_: Request, error: StoreError) -> JSONResponse:
    log.warning("cosmos failed: %s", error)
    return problem(503, "store-failed", str(error), storeStatus=error.status)


async def on_http_error(_: Request, error: HTTPException) -> JSONResponse:
    return problem(error.status_code, "http", str(error.detail), headers=dict(error.headers or {}))


async def on_unexpected(_: Request, error: Exception) -> JSONResponse:
    log.error("unexpected failure", exc_info=error)
    return problem(500, "internal", "The request failed; the log has the reason under this correlation id.")


def install(app: FastAPI) -> None:
    """Register every handler."""
    handlers: dict[type[Exception], Any] = {
        InputError: on_input_error,
        RequestValidationError: on_request_error,
        LLMError: on_llm_error,
        StoreError: on_store_error,
        HTTPException: on_http_error,
        Exception: on_unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
