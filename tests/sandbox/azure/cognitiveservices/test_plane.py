"""The data plane through the unmodified `openai` SDK."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, Literal

import httpx
import openai
import pytest
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI
from pydantic import BaseModel, Field

from sandbox.azure.cognitiveservices import access
from sandbox.azure.cognitiveservices.accounts import AccountHandler
from sandbox.azure.cognitiveservices.deployments import DeploymentHandler
from sandbox.azure.cognitiveservices.responder import FILTERED_PHRASE
from tests.sandbox.azure.cognitiveservices.conftest import (
    ACCOUNT,
    SCOPE,
    URL,
    account_body,
    deployment_body,
    provide,
)
from tests.sandbox.azure.conftest import GROUP, World
from tests.sandbox.azure.fakes import token

ASK: list[Any] = [
    {"role": "system", "content": "You write notifications."},
    {"role": "user", "content": "The database failed over to North Europe. Severity is high. Tell the team."},
]


def azure(object_id: str = "agent", **options: Any) -> AzureOpenAI:
    settings = {"api_version": "2024-10-21", "max_retries": 0, **options}
    return AzureOpenAI(azure_endpoint=URL, azure_ad_token_provider=provide(object_id), **settings)


@pytest.fixture
def client(plane: World) -> Iterator[AzureOpenAI]:
    with azure() as one:
        yield one


def test_a_completion_counts_its_tokens_and_is_repeatable(client: AzureOpenAI) -> None:
    first, again = (client.chat.completions.create(model="chat", messages=ASK) for _ in range(2))
    assert first.choices[0].finish_reason == "stop"
    assert "failed over" in str(first.choices[0].message.content)
    assert first.choices[0].message.content == again.choices[0].message.content
    assert first.model == "gpt-4o-2024-11-20"
    assert first.usage is not None
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens
    assert 20 < first.usage.prompt_tokens < 60


def test_max_tokens_cuts_the_answer(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(model="chat", messages=ASK, max_tokens=5)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 5


def test_stop_and_n(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(model="chat", messages=ASK, stop=["North"], n=3)
    assert len(answer.choices) == 3
    assert "North" not in str(answer.choices[2].message.content)


def test_streaming_gives_the_same_text_and_usage_at_the_end(client: AzureOpenAI) -> None:
    whole = client.chat.completions.create(model="chat", messages=ASK)
    stream = client.chat.completions.create(
        model="chat", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"


async def test_async_and_streaming(plane: World) -> None:
    async def provider() -> str:
        return token("agent", SCOPE)

    async with AsyncAzureOpenAI(
        azure_endpoint=f"{URL}:{plane.port}",
        azure_ad_token_provider=provider,
        api_version="2024-10-21",
        max_retries=0,
    ) as client:
        answer = await client.chat.completions.create(model="chat", messages=ASK)
        stream = await client.chat.completions.create(model="chat", messages=ASK, stream=True)
        pieces = [c.choices[0].delta.content or "" async for c in stream if c.choices]
    assert "".join(pieces) == answer.choices[0].message.content


def test_the_v1_surface(plane: World) -> None:
    with OpenAI(base_url=f"{URL}/openai/v1/", api_key=token("agent", SCOPE), max_retries=0) as client:
        answer = client.chat.completions.create(model="chat", messages=ASK)
        assert answer.choices[0].message.content
        assert "gpt-4o-2024-11-20" in [model.id for model in client.models.list()]
        assert client.models.retrieve("gpt-4o").id == "gpt-4o-2024-11-20"
        with pytest.raises(openai.NotFoundError) as absent:
            client.chat.completions.create(model="absent", messages=ASK)
    assert absent.value.code == "DeploymentNotFound"


class Severity(StrEnum):
    LOW = "low"
    HIGH = "high"


class Step(BaseModel):
    order: int = Field(ge=1, le=9)
    text: str


class Notification(BaseModel):
    """Every kind of field that structured outputs allow."""

    subject: str
    body: str
    severity: Severity
    channel: Literal["email", "teams"]
    confidence: float = Field(ge=0, le=1)
    steps: list[Step] = Field(min_length=1, max_length=3)
    follow_up: Step | None
    ticket: str = Field(pattern=r"^INC-\d{4}$")
    labels: list[str]
    urgent: bool


def test_pydantic_structured_outputs(client: AzureOpenAI) -> None:
    parsed = client.chat.completions.parse(model="chat", messages=ASK, response_format=Notification)
    made = parsed.choices[0].message.parsed
    assert made is not None
    assert made.severity is Severity.HIGH
    assert made.subject == "The database failed over to North Europe."
    assert "Tell the team" in made.body
    assert re.fullmatch(r"INC-\d{4}", made.ticket)


def test_json_object_needs_the_word(client: AzureOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="must contain the word 'json'"):
        client.chat.completions.create(model="chat", messages=ASK, response_format={"type": "json_object"})
    asked = [*ASK, {"role": "user", "content": "Answer in JSON."}]
    answer = client.chat.completions.create(
        model="chat", messages=asked, response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(str(answer.choices[0].message.content)), dict)


@pytest.mark.parametrize(
    ("schema", "wording"),
    [
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            "additionalProperties",
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "required": [],
                "additionalProperties": False,
            },
            "Missing 'a'",
        ),
        ({"type": "array", "items": {"type": "string"}}, 'type: "object"'),
    ],
)
def test_strict_schemas_are_checked(client: AzureOpenAI, schema: dict[str, Any], wording: str) -> None:
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    with pytest.raises(openai.BadRequestError, match=wording):
        client.chat.completions.create(model="chat", messages=ASK, response_format=wanted)


TOOL: Any = {
    "type": "function",
    "function": {
        "name": "open_ticket",
        "parameters": {
            "type": "object",
            "properties": {
                "title": {"type": "string"},
                "priority": {"type": "integer", "minimum": 1, "maximum": 4},
            },
            "required": ["title", "priority"],
        },
    },
}


def test_tools_are_called_when_forced_or_named(client: AzureOpenAI) -> None:
    def call(messages: list[Any], **options: Any) -> Any:
        return client.chat.completions.create(
            model="chat", messages=messages, tools=[TOOL], **options
        ).choices[0]

    assert call(ASK).finish_reason == "stop"
    assert call(ASK, tool_choice="none").message.tool_calls is None
    for choice in ("required", {"type": "function", "function": {"name": "open_ticket"}}):
        forced = call(ASK, tool_choice=choice)
        assert forced.finish_reason == "tool_calls"
        arguments = json.loads(forced.message.tool_calls[0].function.arguments)
        assert 1 <= arguments["priority"] <= 4
    asked = [{"role": "user", "content": "Please open ticket for the outage."}]
    named = call(asked)
    assert named.message.tool_calls[0].function.name == "open_ticket"
    result = {
        "role": "tool",
        "tool_call_id": named.message.tool_calls[0].id,
        "content": "Ticket 17 was opened.",
    }
    after = call([*asked, named.message, result])
    assert (after.finish_reason, "Ticket 17" in after.message.content) == ("stop", True)


def test_streamed_tool_calls(client: AzureOpenAI) -> None:
    with client.chat.completions.stream(
        model="chat", messages=ASK, tools=[TOOL], tool_choice="required"
    ) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls
    assert json.loads(calls[0].function.arguments)["title"]


def test_the_content_filter(client: AzureOpenAI) -> None:
    messages: Any = [{"role": "user", "content": f"Now {FILTERED_PHRASE} please"}]
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="chat", messages=messages)
    assert refused.value.code == "content_filter"
    body: Any = refused.value.body
    assert body["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert body["innererror"]["content_filter_result"]["violence"]["filtered"] is True


@pytest.mark.parametrize(
    ("model", "given", "code", "said"),
    [
        ("thinker", {"max_tokens": 5}, "unsupported_parameter", "Use 'max_completion_tokens' instead"),
        ("thinker", {"temperature": 0.2}, "unsupported_value", "Only the default (1) value is supported"),
        ("thinker", {"temperature": 0.2, "reasoning_effort": "low"}, "unsupported_value", "temperature"),
        ("thinker", {"presence_penalty": 1, "reasoning_effort": "none"}, "unsupported_value", "penalty"),
        ("thinker", {"reasoning_effort": "minimal"}, "unsupported_value", "'none', 'low', 'medium', 'high'"),
        ("chat", {"reasoning_effort": "none"}, None, "Unrecognized request argument supplied"),
    ],
    ids=["limit", "temperature", "temperature-low", "penalty", "effort", "no-reasoning"],
)
def test_reasoning_models_have_their_own_parameters(
    client: AzureOpenAI, model: str, given: dict[str, Any], code: str | None, said: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=model, messages=ASK, **given)
    assert refused.value.code == code
    assert said in refused.value.message


def test_a_model_that_does_not_think_takes_a_temperature(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(
        model="thinker", messages=ASK, temperature=0.2, reasoning_effort="none", max_completion_tokens=300
    )
    assert answer.model == "gpt-5.4-mini-2026-03-17"
    assert answer.choices[0].finish_reason == "stop"
    assert _thought(answer) == 0


def test_a_model_without_reasoning_takes_the_newer_limit_too(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(model="chat", messages=ASK, max_completion_tokens=5)
    assert (answer.choices[0].finish_reason, answer.usage and answer.usage.completion_tokens) == ("length", 5)


@pytest.mark.parametrize("stream", [False, True])
def test_thinking_costs_tokens_and_may_use_up_all_of_them(client: AzureOpenAI, *, stream: bool) -> None:
    def ask(most: int) -> tuple[str, str, int, int]:
        asked: dict[str, Any] = {
            "model": "thinker",
            "messages": ASK,
            "reasoning_effort": "low",
            "max_completion_tokens": most,
        }
        if not stream:
            answer = client.chat.completions.create(**asked)
            choice, usage = answer.choices[0], answer.usage
            assert usage is not None
            return (
                choice.message.content or "",
                choice.finish_reason,
                usage.completion_tokens,
                _thought(answer),
            )
        chunks = list(
            client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
        )
        choices = [choice for chunk in chunks for choice in chunk.choices]
        text = "".join(choice.delta.content or "" for choice in choices)
        return text, choices[-1].finish_reason, chunks[-1].usage.completion_tokens, _thought(chunks[-1])

    text, ended, spent, thought = ask(1000)
    assert (ended, bool(text)) == ("stop", True)
    assert 0 < thought < spent
    assert ask(thought) == ("", "length", thought, thought)


def _thought(answer: Any) -> int:
    return int(answer.usage.completion_tokens_details.reasoning_tokens)


def test_a_deployment_whose_model_is_retired_is_gone(plane: World, client: AzureOpenAI) -> None:
    deployment = plane.store.get(f"{GROUP}/providers/{ACCOUNT}/deployments/chat")
    assert deployment is not None
    deployment.properties["model"] = {"format": "OpenAI", "name": "gpt-35-turbo", "version": "0613"}
    plane.store.save(deployment)
    with pytest.raises(
        openai.APIStatusError, match="gpt-35-turbo 0613 of this deployment is retired"
    ) as gone:
        client.chat.completions.create(model="chat", messages=ASK)
    assert gone.value.status_code == 410


def test_embeddings_are_unit_vectors_and_near_for_similar_texts(client: AzureOpenAI) -> None:
    texts = ["the database is down", "the database is slow", "bake a cake"]
    answer = client.embeddings.create(model="words", input=texts)
    first, near, far = (item.embedding for item in answer.data)
    assert len(first) == 1536
    assert sum(x * x for x in first) == pytest.approx(1, abs=1e-5)

    def cosine(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    assert cosine(first, near) > cosine(first, far) + 0.3
    assert client.embeddings.create(model="words", input=texts[0]).data[0].embedding == first
    short = client.embeddings.create(model="words", input="x", dimensions=64, encoding_format="float")
    assert len(short.data[0].embedding) == 64
    with pytest.raises(openai.BadRequestError, match="does not support specifying dimensions"):
        client.embeddings.create(model="old-words", input="x", dimensions=64)
    with pytest.raises(openai.BadRequestError, match="does not work with the specified model"):
        client.embeddings.create(model="chat", input="x")


def test_an_identity_without_the_role_is_refused(plane: World) -> None:
    with azure("nobody") as client, pytest.raises(openai.PermissionDeniedError) as refused:
        client.chat.completions.create(model="chat", messages=ASK)
    assert refused.value.code == "PermissionDenied"
    assert access.CHAT in refused.value.message
    plane.rbac.grant("reader", access.MODELS)
    with azure("reader") as client:
        assert list(client.models.list())
        with pytest.raises(openai.PermissionDeniedError):
            client.chat.completions.create(model="chat", messages=ASK)


def test_a_wrong_audience_is_unauthorized(plane: World) -> None:
    wrong = AzureOpenAI(
        azure_endpoint=URL,
        azure_ad_token_provider=lambda: token("agent", "https://management.azure.test"),
        api_version="2024-10-21",
        max_retries=0,
    )
    with wrong as client, pytest.raises(openai.AuthenticationError, match="audience is incorrect"):
        client.chat.completions.create(model="chat", messages=ASK)


def test_keys_work_only_while_local_auth_is_on(plane: World) -> None:
    def ask(key: str) -> None:
        with AzureOpenAI(azure_endpoint=URL, api_key=key, api_version="2024-10-21", max_retries=0) as client:
            client.chat.completions.create(model="chat", messages=ASK)
        with OpenAI(base_url=f"{URL}/openai/v1/", api_key=key, max_retries=0) as client:
            client.chat.completions.create(model="chat", messages=ASK)

    with pytest.raises(openai.PermissionDeniedError, match="Key based authentication is disabled"):
        ask("anything")
    account = plane.put(AccountHandler, ACCOUNT, account_body(disableLocalAuth=False))
    keys = plane.act(AccountHandler, "listKeys", account)
    ask(keys["key1"])
    with pytest.raises(openai.AuthenticationError, match="invalid subscription key"):
        ask("anything")
    plane.act(AccountHandler, "regenerateKey", account, {"keyName": "Key1"})
    with pytest.raises(openai.AuthenticationError):
        ask(keys["key1"])
    ask(keys["key2"])


def test_rate_limits_say_when_to_come_back(plane: World) -> None:
    plane.put(DeploymentHandler, f"{ACCOUNT}/deployments/chat", deployment_body(capacity=1))
    with azure() as client:
        raw = client.chat.completions.with_raw_response.create(model="chat", messages=ASK, max_tokens=100)
        assert raw.headers["x-ratelimit-limit-tokens"] == "1000"
        assert 800 < int(raw.headers["x-ratelimit-remaining-tokens"]) < 900
        assert raw.headers["x-ratelimit-remaining-requests"] == "0"
        assert raw.headers["x-request-id"] != raw.headers["apim-request-id"]
        with pytest.raises(openai.RateLimitError, match="exceeded call rate limit") as calls:
            client.chat.completions.create(model="chat", messages=ASK, max_tokens=100)
    assert 1 <= int(calls.value.response.headers["retry-after"]) <= 10
    assert 0 < int(calls.value.response.headers["retry-after-ms"]) <= 10_000
    plane.put(DeploymentHandler, f"{ACCOUNT}/deployments/other", deployment_body(capacity=1))
    with azure() as client, pytest.raises(openai.RateLimitError, match="exceeded token rate limit") as tokens:
        client.chat.completions.create(model="other", messages=ASK, max_tokens=1000)
    assert 1 <= int(tokens.value.response.headers["retry-after"]) <= 60


def test_provisioned_capacity_has_no_minute_limits(plane: World) -> None:
    body = deployment_body(capacity=1, sku="ProvisionedManaged")
    plane.put(DeploymentHandler, f"{ACCOUNT}/deployments/chat", body)
    with azure() as client:
        raw = client.chat.completions.with_raw_response.create(model="chat", messages=ASK, max_tokens=16_000)
    assert "x-ratelimit-limit-tokens" not in raw.headers


@pytest.fixture
def raw(plane: World, trusted: Callable[[], Any]) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {token('agent', SCOPE)}"}
    with httpx.Client(base_url=f"{URL}/openai", verify=trusted(), headers=headers) as one:
        yield one


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/deployments/chat/chat/completions", b"{}", 404),
        ("/deployments/chat/chat/completions?api-version=latest", b"{}", 404),
        ("/deployments/chat/chat/completions?api-version=2024-10-21", b"{", 400),
        ("/deployments/chat/chat/completions?api-version=2024-10-21", b"[]", 400),
        ("/deployments/chat/chat/completions?api-version=2024-10-21", b'{"messages": []}', 400),
        ("/deployments/chat/chat/completions?api-version=2024-10-21", b'{"messages": "hello"}', 400),
        ("/deployments/chat/chat/completions?api-version=2024-10-21", b'{"messages": [{"role": "x"}]}', 400),
        ("/deployments/chat/chat/completions?api-version=2024-10-21", b'{"mesages": []}', 400),
        ("/deployments/none/chat/completions?api-version=2024-10-21", b"{}", 404),
        ("/v1/chat/completions", b"{}", 400),
        ("/v1/chat/completions", b'{"model": "../chat"}', 404),
        ("/v1/embeddings", b'{"model": "words", "input": ""}', 400),
        ("/v1/embeddings", b'{"model": "words", "input": 3}', 400),
        ("/nothing", b"{}", 404),
    ],
)
def test_bad_requests_get_the_services_error_shape(
    raw: httpx.Client, path: str, content: bytes, status: int
) -> None:
    answer = raw.post(path, content=content)
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) >= {"code", "message"}


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 3},
        {"temperature": "hot"},
        {"n": 0},
        {"max_tokens": 1.5},
        {"stop": ["a"] * 5},
        {"stream": "yes"},
        {"stream_options": {"include_usage": True}},
        {"response_format": {"type": "xml"}},
        {"response_format": {"type": "json_schema"}},
        {"tool_choice": "required"},
        {"tools": [{"type": "function"}]},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": [{"role": "user", "content": None}]},
    ],
)
def test_every_refusal_names_its_parameter(raw: httpx.Client, change: dict[str, Any]) -> None:
    answer = raw.post("/v1/chat/completions", json={"model": "chat", "messages": ASK, **change})
    assert answer.status_code == 400, answer.text
    assert str(answer.json()["error"]["param"]).split(".")[0].split("[")[0] in change
