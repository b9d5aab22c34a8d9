"""The request headers that say how a model is to be called."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import Depends, Header

from app.llm.options import Options

_DAY = 24 * 60 * 60 * 1000


# Asynchronous, or FastAPI would have a thread read three headers.
async def _options(
    x_request_timeout_ms: Annotated[
        int | None, Header(gt=0, le=_DAY, description="How long the caller waits; the agent may allow less.")
    ] = None,
    x_llm_skip: Annotated[
        str | None,
        Header(
            max_length=200,
            description="Model providers to pass over, separated by commas: proves failover without harm.",
            examples=["azure-openai"],
        ),
    ] = None,
    cache_control: Annotated[
        str | None, Header(max_length=200, description="`no-cache`: ask a model, whatever is remembered.")
    ] = None,
) -> Options:
    seconds = None if x_request_timeout_ms is None else x_request_timeout_ms / 1000
    return Options(
        deadline=None if seconds is None else time.monotonic() + seconds,
        skip=_tokens(x_llm_skip),
        fresh="no-cache" in _tokens((cache_control or "").lower()),
    )


def _tokens(value: str | None) -> frozenset[str]:
    return frozenset(token for part in (value or "").split(",") if (token := part.strip()))


RequestOptions = Annotated[Options, Depends(_options)]
