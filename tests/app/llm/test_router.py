"""The router over HTTP: faults on the wire, repairs, streams and the cache."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from app.dependency import DependencyError
from app.llm.chat import Completion
from app.llm.failures import ExhaustedError, Kind, LLMError
from app.llm.health import why_unusable
from app.llm.lineup import Place
from app.llm.router import Router
from tests.app.llm.conftest import Connect
from tests.app.llm.models import FITS, MESSAGES, PROMPT, settings
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
)

STREAM = events(chunk('{"word":'), chunk(' "yes"}'), *END)
MODELS = Reply(body=b'{"object": "list", "data": []}')
Routed = Callable[..., Router]


@pytest.fixture
def routed(server: Server, backup: Server, connect: Connect) -> Routed:
    """A router over both servers, with the given settings."""

    def make(**values: Any) -> Router:
        providers = [connect(server.url), connect(backup.url, "azure-openai-backup")]
        return Router(settings(**values), "tester", [Place(one, 10) for one in providers])

    return make


@pytest.mark.parametrize(
    "fault",
    [error(429, headers={"retry-after": "9"}), error(500), RESET, HANG, Reply(body=b"{nope")],
    ids=["429", "500", "reset", "hang", "nonsense"],
)
async def test_the_backup_answers_where_the_primary_does_not(
    server: Server, backup: Server, routed: Routed, fault: Reply
) -> None:
    server.script = [fault]
    answered = await routed(AttemptSeconds=1).complete(PROMPT, MESSAGES)
    assert (answered.provider, answered.output) == ("azure-openai-backup", {"word": "yes"})
    assert (len(server.requests), len(backup.requests)) == (1, 1)


@pytest.mark.parametrize("fault", [error(400), error(401), error(403), error(404), FILTERED])
async def test_a_refusal_is_the_callers_to_see(
    server: Server, backup: Server, routed: Routed, fault: Reply
) -> None:
    server.script = [fault]
    with pytest.raises(LLMError) as refused:
        await routed().complete(PROMPT, MESSAGES)
    assert (refused.value.provider, refused.value.status) == ("azure-openai", fault.status)
    assert backup.requests == []


async def test_the_lowest_pause_is_told_when_both_ask_for_one(
    server: Server, backup: Server, routed: Routed
) -> None:
    server.script = [error(429, headers={"retry-after": "40"})]
    backup.script = [error(429, headers={"retry-after-ms": "20000"})]
    with pytest.raises(ExhaustedError) as exhausted:
        await routed().complete(PROMPT, MESSAGES)
    assert exhausted.value.retry_after == pytest.approx(20, abs=1)


async def test_a_deadline_on_the_wire_is_kept(server: Server, backup: Server, routed: Routed) -> None:
    server.script, backup.script = [HANG], [HANG]
    started = time.monotonic()
    with pytest.raises(DependencyError):
        await routed().complete(PROMPT, MESSAGES, deadline=started + 2)
    assert time.monotonic() - started < 4
    assert (len(server.requests), len(backup.requests)) == (1, 1)


async def test_an_answer_that_does_not_fit_is_sent_back_once(server: Server, routed: Routed) -> None:
    server.script = [completion('{"word": "perhaps"}'), completion()]
    answered = await routed().complete(PROMPT, MESSAGES)
    assert answered.output == {"word": "yes"}
    # Both calls are paid for.
    assert (answered.prompt_tokens, answered.completion_tokens) == (24, 6)
    _, again = server.requests
    assert again["messages"][:2] == MESSAGES
    assert again["messages"][2] == {"role": "assistant", "content": '{"word": "perhaps"}'}
    assert "'perhaps' is not one of" in again["messages"][3]["content"]


async def test_an_answer_that_does_not_fit_twice_is_an_error_without_its_words(
    server: Server, backup: Server, routed: Routed
) -> None:
    server.script = [completion('{"word": "perhaps"}')] * 3
    with pytest.raises(LLMError) as failed:
        await routed().complete(PROMPT, MESSAGES)
    assert failed.value.kind is Kind.INVALID_OUTPUT
    assert "perhaps" not in str(failed.value)
    assert (len(server.requests), backup.requests) == (2, [])


async def test_a_repair_may_be_another_providers(server: Server, routed: Routed) -> None:
    server.script = [completion("not JSON"), error(500)]
    answered = await routed().complete(PROMPT, MESSAGES)
    assert answered.provider == "azure-openai-backup"


async def _parts(router: Router, **options: Any) -> list[Any]:
    return [part async for part in router.stream(PROMPT, MESSAGES, **options)]


async def test_a_stream_ends_in_its_completion(server: Server, routed: Routed) -> None:
    server.script = [STREAM]
    *pieces, last = await _parts(routed())
    assert "".join(pieces) == FITS
    assert last == Completion({"word": "yes"}, "azure-openai", "gpt-5.4-mini-2026-03-17", 12, 3)


@pytest.mark.parametrize("fault", [error(429), error(503), RESET, events(ending="reset")])
async def test_a_stream_that_has_not_begun_is_another_providers(
    server: Server, backup: Server, routed: Routed, fault: Reply
) -> None:
    server.script, backup.script = [fault], [STREAM]
    *pieces, last = await _parts(routed())
    assert ("".join(pieces), last.provider) == (FITS, "azure-openai-backup")


async def test_a_stream_that_has_begun_is_not_begun_again(
    server: Server, backup: Server, routed: Routed
) -> None:
    server.script = [events(chunk("half"), ending="reset")]
    parts = routed().stream(PROMPT, MESSAGES)
    assert await anext(parts) == "half"
    with pytest.raises(LLMError) as failed:
        await anext(parts)
    assert (failed.value.kind, backup.requests) == (Kind.RESET, [])


async def test_a_stream_that_does_not_fit_is_repaired_at_its_end(server: Server, routed: Routed) -> None:
    server.script = [events(chunk('{"word": 3}'), *END), completion()]
    *pieces, last = await _parts(routed())
    assert "".join(pieces) == '{"word": 3}'
    assert (last.output, last.prompt_tokens) == ({"word": "yes"}, 24)


async def test_a_stream_passes_over_who_is_to_be_passed_over(
    server: Server, backup: Server, routed: Routed
) -> None:
    backup.script = [STREAM]
    last = (await _parts(routed(), skip=frozenset({"azure-openai"})))[-1]
    assert (last.provider, server.requests) == ("azure-openai-backup", [])


async def test_an_equal_question_is_asked_once(server: Server, routed: Routed) -> None:
    router = routed(Cache={"Seconds": 60})
    first, second = [await router.complete(PROMPT, MESSAGES) for _ in range(2)]
    assert len(server.requests) == 1
    assert (second.output, second.provider) == (first.output, first.provider)
    assert (first.prompt_tokens, second.prompt_tokens) == (12, 0)


@pytest.mark.parametrize("options", [{"fresh": True}, {"skip": frozenset({"azure-openai-backup"})}])
async def test_who_wants_a_model_gets_one(server: Server, routed: Routed, options: dict[str, Any]) -> None:
    router = routed(Cache={"Seconds": 60})
    for _ in range(2):
        await router.complete(PROMPT, MESSAGES, **options)
    assert len(server.requests) == 2


async def test_what_does_not_fit_is_not_remembered(server: Server, routed: Routed) -> None:
    router = routed(Cache={"Seconds": 60})
    server.script = [completion("no"), completion("no")]
    with pytest.raises(LLMError):
        await router.complete(PROMPT, MESSAGES)
    assert (await router.complete(PROMPT, MESSAGES)).output == {"word": "yes"}


async def test_models_are_usable_while_one_of_them_is(server: Server, backup: Server, routed: Routed) -> None:
    server.script, backup.script = [error(403)], [MODELS]
    router = routed()
    assert why_unusable(await router.report()) is None
    server.script, backup.script = [error(403)], [error(500)]
    failed = why_unusable(await router.report())
    assert failed is not None
    assert (failed.provider, failed.status) == ("azure-openai", 403)


async def test_one_that_is_skipped_does_not_make_models_usable(
    server: Server, backup: Server, routed: Routed
) -> None:
    server.script, backup.script = [MODELS, MODELS], [error(500), error(500)]
    router = routed(Skip="azure-openai")
    failed = why_unusable(await router.report())
    assert failed is not None
    assert failed.provider == "azure-openai-backup"
    first, second = await router.report()
    assert (first.skipped, first.error, first.usable, second.usable) == (True, None, False, False)
