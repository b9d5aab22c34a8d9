"""Errors as RFC 9457 problem details, always with the correlation id."""

from __future__ import annotations

import logging
import math
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.agents.run import KeyReusedError
from app.llm.failures import ExhaustedError, Kind, LLMError, RouteError, SkipError
from app.llm.metering import OverBudget
from app.prompts.library import UnknownPromptError
from app.prompts.prompt import InputError
from app.store.documents import ContinuationError
from app.store.errors import StoreError
from app.telemetry.logs import correlation_id

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


async def on_unknown_prompt(_: Request, error: UnknownPromptError) -> JSONResponse:
    return _invalid([("$.prompt", str(error))])


async def on_continuation_error(_: Request, error: ContinuationError) -> JSONResponse:
    return _invalid([("$.after", str(error))])


async def on_key_reused(_: Request, __: KeyReusedError) -> JSONResponse:
    return problem(422, "key-reused", "The idempotency key was used for another request; take a new one.")


async def on_llm_error(_: Request, error: LLMError) -> JSONResponse:
    """A refusal that no other provider would mend. What a filter holds back is the input's doing."""
    # Not what the error says: it may quote the model's answer.
    log.warning("%s failed: %s", error.provider, error.status or error.kind.value)
    more: dict[str, Any] = {"provider": error.provider, "providerStatus": error.status}
    if error.kind is Kind.CONTENT_FILTER:
        return problem(422, "content-filtered", str(error), **more)
    # Only a stream that broke off after it began ends in an error that fails over.
    return problem(503 if error.fails_over else 502, "llm-failed", str(error), **more)


async def on_route_error(_: Request, error: RouteError) -> JSONResponse:
    log.warning("no model answered: %s", [(one.provider, one.kind.value) for one in error.failures])
    tried = [
        {"provider": failure.provider, "reason": failure.kind.value, "providerStatus": failure.status}
        for failure in error.failures
    ]
    if isinstance(error, ExhaustedError):
        headers = _retry_after(error.retry_after)
        return problem(503, "llm-exhausted", str(error), headers=headers, attempts=tried)
    return problem(504, "deadline-exceeded", str(error), attempts=tried)


async def on_skip_error(_: Request, error: SkipError) -> JSONResponse:
    return problem(400, "nothing-to-ask", str(error))


async def on_over_budget(_: Request, error: OverBudget) -> JSONResponse:
    log.warning("over budget: %s", error)
    return problem(
        429,
        "over-budget",
        str(error),
        headers=_retry_after((error.resets_at - datetime.now(UTC)).total_seconds()),
        scope=error.scope,
        limit=error.limit,
        used=error.used,
        resetsAt=error.resets_at.isoformat(),
    )


def _retry_after(seconds: float) -> dict[str, str]:
    """Whole seconds, never too few: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


async def on_store_error(_: Request, error: StoreError) -> JSONResponse:
    log.warning("cosmos failed: %s", error)
    return problem(503, "store-failed", str(error), storeStatus=error.status)


async def on_http_error(_: Request, error: HTTPException) -> JSONResponse:
    return problem(error.status_code, "http", str(error.detail), headers=dict(error.headers or {}))


async def on_unexpected(_: Request, error: Exception) -> JSONResponse:
    log.error("unexpected failure", exc_info=error)
    return problem(500, "internal", "The request failed; the log has the reason under this correlation id.")


_HANDLERS: dict[type[Exception], Any] = {
    InputError: on_input_error,
    RequestValidationError: on_request_error,
    UnknownPromptError: on_unknown_prompt,
    ContinuationError: on_continuation_error,
    KeyReusedError: on_key_reused,
    LLMError: on_llm_error,
    RouteError: on_route_error,
    SkipError: on_skip_error,
    OverBudget: on_over_budget,
    StoreError: on_store_error,
    HTTPException: on_http_error,
    Exception: on_unexpected,
}


async def answer(request: Request, error: Exception) -> JSONResponse:
    """The problem that an error is, for where it cannot be raised any more: in the middle of an answer."""
    handler = next(_HANDLERS[kind] for kind in type(error).__mro__ if kind in _HANDLERS)
    found: JSONResponse = await handler(request, error)
    return found


def install(app: FastAPI) -> None:
    """Register every handler."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
