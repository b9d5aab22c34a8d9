"""A provider over HTTP: what it sends, and what it makes of every way in which a server can fail."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from app.llm.chat import Answer, Chat
from app.llm.dialect import OLLAMA, Dialect
from app.llm.failures import Kind, LLMError
from app.llm.providers import FilteredError
from tests.app.llm.conftest import AZURE, Connect
from tests.app.llm.models import FITS, MESSAGES, PROMPT
from tests.app.llm.stub import (
    END,
    FILTERED,
    HANG,
    RESET,
    Reply,
    Server,
    chunk,
    completion,
    error,
    events,
    unused_port,
)

CHAT = Chat.of(PROMPT, MESSAGES)


async def test_it_asks_for_what_the_prompt_says(server: Server, connect: Connect) -> None:
    answer = await connect(server.url).complete(CHAT, 5)
    assert answer == Answer(FITS, "azure-openai", "gpt-5.4-mini-2026-03-17", "chatcmpl-1", "stop", 12, 3)
    (request,) = server.requests
    assert request["model"] == "gpt-5.4-mini"
    assert request["messages"] == MESSAGES
    assert request["response_format"]["json_schema"]["schema"] == PROMPT.meta.output
    assert request["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        (OLLAMA, {"temperature": 0.2, "max_tokens": 50}),
        (Dialect("max_completion_tokens"), {"temperature": 0.2, "max_completion_tokens": 50}),
        (AZURE, {"reasoning_effort": "none", "max_completion_tokens": 50}),
        (
            Dialect("max_completion_tokens", "low", 1000),
            {"reasoning_effort": "low", "max_completion_tokens": 1050},
        ),
    ],
    ids=["ollama", "no-reasoning", "reasoning-off", "reasoning-on"],
)
async def test_each_is_asked_in_its_dialect(
    server: Server, connect: Connect, dialect: Dialect, said: dict[str, Any], *, stream: bool
) -> None:
    provider = connect(server.url, dialect=dialect)
    if stream:
        server.script = [events(chunk(FITS), *END)]
        assert [part async for part in provider.stream(CHAT, 5)]
    else:
        await provider.complete(CHAT, 5)
    (request,) = server.requests
    names = ("temperature", "reasoning_effort", "max_tokens", "max_completion_tokens")
    assert {name: request[name] for name in names if name in request} == said


@pytest.mark.parametrize(
    ("reply", "kind", "status", "pause"),
    [
        (error(429, headers={"retry-after": "7"}), Kind.THROTTLED, 429, 7),
        (error(429, headers={"retry-after-ms": "1500", "retry-after": "2"}), Kind.THROTTLED, 429, 1.5),
        (error(429), Kind.THROTTLED, 429, None),
        (error(500), Kind.SERVER_ERROR, 500, None),
        (error(503, headers={"retry-after": "3"}), Kind.SERVER_ERROR, 503, 3),
        (Reply(502, body=b"<html>Bad gateway"), Kind.SERVER_ERROR, 502, None),
        (error(408), Kind.TIMEOUT, 408, None),
        (error(400), Kind.REFUSED, 400, None),
        (error(401), Kind.REFUSED, 401, None),
        (error(403), Kind.REFUSED, 403, None),
        (error(404, "DeploymentNotFound"), Kind.REFUSED, 404, None),
        (FILTERED, Kind.CONTENT_FILTER, 400, None),
        (RESET, Kind.RESET, None, None),
        (Reply(body=b"{nope"), Kind.MALFORMED, None, None),
        (Reply(body=b"{}"), Kind.MALFORMED, None, None),
        (Reply(body=b"[1]"), Kind.MALFORMED, None, None),
        (Reply(body=b"null"), Kind.MALFORMED, None, None),
        (Reply(body=b'{"choices": [{"finish_reason": "stop"}]}'), Kind.MALFORMED, None, None),
        (Reply(body=b"<html>Sign in", content_type="text/html"), Kind.MALFORMED, None, None),
        (completion(choices=[]), Kind.MALFORMED, None, None),
        (completion(finish_reason="content_filter"), Kind.CONTENT_FILTER, None, None),
    ],
)
async def test_each_failure_has_its_kind_its_status_and_its_pause(
    server: Server, connect: Connect, *, reply: Reply, kind: Kind, status: int | None, pause: float | None
) -> None:
    server.script = [reply]
    with pytest.raises(LLMError) as failed:
        await connect(server.url).complete(CHAT, 5)
    assert (failed.value.kind, failed.value.status) == (kind, status)
    assert failed.value.retry_after == pause
    assert len(server.requests) == 1, "nobody but the router retries"


async def test_a_pause_until_a_date_is_understood(server: Server, connect: Connect) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server.script = [error(429, headers={"retry-after": later})]
    with pytest.raises(LLMError) as failed:
        await connect(server.url).complete(CHAT, 5)
    assert failed.value.retry_after == pytest.approx(30, abs=5)


async def test_a_server_that_hangs_is_left_when_the_time_is_over(server: Server, connect: Connect) -> None:
    server.script = [HANG]
    started = time.monotonic()
    with pytest.raises(LLMError) as failed:
        await connect(server.url).complete(CHAT, 1)
    assert (failed.value.kind, failed.value.may_have_cost) == (Kind.TIMEOUT, True)
    assert time.monotonic() - started < 5


async def test_a_server_that_is_not_there_cost_nothing(connect: Connect) -> None:
    with pytest.raises(LLMError) as failed:
        await connect(f"http://127.0.0.1:{unused_port()}").complete(CHAT, 5)
    assert (failed.value.kind, failed.value.may_have_cost) == (Kind.UNREACHABLE, False)


async def test_a_name_that_nobody_knows_cost_nothing(connect: Connect) -> None:
    with pytest.raises(LLMError) as failed:
        await connect("http://model.invalid").complete(CHAT, 5)
    assert failed.value.kind is Kind.UNREACHABLE


@pytest.mark.parametrize(
    ("raised", "kind", "status"),
    [
        (ClientAuthenticationError("no federated credential\nhints"), Kind.REFUSED, 401),
        (ServiceRequestError("login.example does not answer"), Kind.UNREACHABLE, None),
    ],
)
async def test_without_a_token_nothing_is_asked(
    server: Server, connect: Connect, raised: Exception, kind: Kind, status: int | None
) -> None:
    async def token() -> str:
        raise raised

    with pytest.raises(LLMError, match="no token") as failed:
        await connect(server.url, api_key=token).complete(CHAT, 5)
    assert (failed.value.kind, failed.value.status) == (kind, status)
    assert "hints" not in str(failed.value)
    assert server.requests == []


async def test_a_refusal_in_words_is_no_answer_and_has_its_price(server: Server, connect: Connect) -> None:
    server.script = [completion(message={"role": "assistant", "content": None, "refusal": "I cannot."})]
    with pytest.raises(FilteredError) as failed:
        await connect(server.url).complete(CHAT, 5)
    assert (failed.value.answer.prompt_tokens, failed.value.answer.completion_tokens) == (12, 3)


async def test_usage_that_is_not_told_is_estimated(server: Server, connect: Connect) -> None:
    server.script = [completion(usage=None)]
    answer = await connect(server.url).complete(CHAT, 5)
    assert answer.prompt_tokens == CHAT.prompt_tokens > 0
    assert answer.completion_tokens > 0


async def test_thinking_that_is_not_told_is_paid_for_in_full(server: Server, connect: Connect) -> None:
    server.script = [completion(usage=None)] * 2
    plain = await connect(server.url).complete(CHAT, 5)
    thinking = Dialect("max_completion_tokens", "low", 1000)
    thought = await connect(server.url, dialect=thinking).complete(CHAT, 5)
    assert thought.completion_tokens == plain.completion_tokens + 1000


async def _stream(server: Server, connect: Connect, *replies: Reply, seconds: float = 5) -> list[Any]:
    server.script = list(replies)
    parts: list[Any] = []
    try:
        async for part in connect(server.url).stream(CHAT, seconds):
            parts.append(part)  # noqa: PERF401 - what came before the error is looked at
    except LLMError as failed:
        parts.append((failed.kind, failed.status))
    return parts


async def test_a_streamed_answer_comes_in_pieces_and_then_whole(server: Server, connect: Connect) -> None:
    # Azure begins with the results of its filter and no choice.
    first = chunk(choices=[], id="", model="", prompt_filter_results=[])
    *pieces, answer = await _stream(server, connect, events(first, chunk('{"word":'), chunk(' "yes"}'), *END))
    assert pieces == ['{"word":', ' "yes"}']
    assert answer == Answer(FITS, "azure-openai", "gpt-5.4-mini-2026-03-17", "chatcmpl-1", "stop", 12, 3)
    assert server.requests[0]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("reply", "parts"),
    [
        (error(429), [(Kind.THROTTLED, 429)]),
        (error(401), [(Kind.REFUSED, 401)]),
        (RESET, [(Kind.RESET, None)]),
        (events(chunk("one"), ending="reset"), ["one", (Kind.RESET, None)]),
        (events(chunk("one")), ["one", (Kind.RESET, None)]),
        (events(chunk("one"), b"data: {nope\n\n"), ["one", (Kind.MALFORMED, None)]),
        (
            events(chunk("one"), b'data: {"error": {"message": "overloaded", "code": "500"}}\n\n'),
            ["one", (Kind.MALFORMED, None)],
        ),
        (
            events(chunk("one"), b'data: {"error": {"message": "held", "code": "content_filter"}}\n\n'),
            ["one", (Kind.CONTENT_FILTER, None)],
        ),
        (events(chunk("one"), chunk(finish_reason="content_filter")), ["one", (Kind.CONTENT_FILTER, None)]),
        (events(chunk("one"), ending="hang"), ["one", (Kind.TIMEOUT, None)]),
    ],
)
async def test_a_stream_fails_in_the_same_words(
    server: Server, connect: Connect, reply: Reply, parts: list[Any]
) -> None:
    assert await _stream(server, connect, reply, seconds=2) == parts


async def test_checking_spends_no_tokens(server: Server, connect: Connect) -> None:
    server.script = [Reply(body=b'{"object": "list", "data": []}'), error(403)]
    checked = connect(server.url)
    await checked.check()
    with pytest.raises(LLMError) as failed:
        await checked.check()
    assert failed.value.status == 403
    assert server.requests == []
