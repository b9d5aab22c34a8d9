"""What the SDKs raise, as the kinds of failure that the router tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError, ClientAuthenticationError
from openai import APIConnectionError, APIError, APIStatusError

from app.llm import retry_after
from app.llm.failures import Kind, LLMError

# Of the HTTP client's failures (app/llm/providers.py), those from before any of the request was sent.
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
# https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
_FILTERED = {"content_filter", "ResponsibleAIPolicyViolation"}


def classify(provider: str, error: Exception) -> LLMError:
    """The failure that an exception of the SDK, or of the credential it asks for a token, means."""
    if isinstance(error, LLMError):
        return error
    if isinstance(error, APIStatusError):
        return _of_status(provider, error)
    if isinstance(error, APIConnectionError):
        return _of_connection(provider, error)
    if isinstance(error, AzureError):
        return _of_token(provider, error)
    if isinstance(error, APIError) and _filtered(error.body):
        return LLMError(provider, error.message, Kind.CONTENT_FILTER)
    # A body that is no JSON, JSON of another shape, an error in the middle of a stream.
    return LLMError(provider, f"the answer is no chat completion: {type(error).__name__}", Kind.MALFORMED)


def _of_status(provider: str, error: APIStatusError) -> LLMError:
    status = error.status_code
    pause = retry_after.seconds(error.response.headers, datetime.now(UTC))
    return LLMError(provider, error.message, _kind(status, error.body), status, pause)


def _kind(status: int, body: object) -> Kind:
    if status == 429:
        return Kind.THROTTLED
    if status == 408:
        return Kind.TIMEOUT
    if status >= 500:
        return Kind.SERVER_ERROR
    return Kind.CONTENT_FILTER if _filtered(body) else Kind.REFUSED


def _filtered(body: object) -> bool:
    """The SDK has unwrapped `error` where the body has it."""
    if not isinstance(body, Mapping):
        return False
    inner: Any = body.get("innererror")
    codes = {body.get("code"), inner.get("code") if isinstance(inner, Mapping) else None}
    return not codes.isdisjoint(_FILTERED)


def _of_connection(provider: str, error: APIConnectionError) -> LLMError:
    # The client's own failure: what it was translated to for the SDK takes a connection that broke for one
    # that was never made.
    cause = error.__cause__.__cause__ if error.__cause__ else None
    if isinstance(cause, _NOT_SENT):
        return LLMError(provider, f"not reachable: {cause or type(cause).__name__}", Kind.UNREACHABLE)
    if isinstance(cause, TimeoutError):
        return LLMError(provider, "no answer in time", Kind.TIMEOUT)
    return LLMError(provider, f"the connection broke: {cause or error}", Kind.RESET)


def _of_token(provider: str, error: AzureError) -> LLMError:
    # The message's first line says it; hints for developers follow.
    reason = str(error.message).strip().split("\n", 1)[0]
    if isinstance(error, ClientAuthenticationError):
        return LLMError(provider, f"no token: {reason}", Kind.REFUSED, 401)
    return LLMError(provider, f"no token, Entra ID is not reachable: {reason}", Kind.UNREACHABLE)
