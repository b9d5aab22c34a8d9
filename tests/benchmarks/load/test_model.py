"""The stub of the model, asked by the client that the application uses."""

from __future__ import annotations

import json
from typing import Any, cast

import httpx2
from jsonschema import Draft202012Validator
from openai import AsyncOpenAI

from app.prompts.prompt import load
from benchmarks.load.environments import ROOT
from benchmarks.load.stubs.http import application
from benchmarks.load.stubs.model import Model
from benchmarks.load.targets import AGENT

_MESSAGES: Any = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Disk full. Again."},
]


def _client(model: Model) -> AsyncOpenAI:
    transport = httpx2.ASGITransport(application(model.handle))
    return AsyncOpenAI(
        base_url="http://stub/openai/v1/",
        api_key="stub",
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=transport),
    )


def _format(schema: dict[str, Any]) -> Any:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


async def test_an_answer_fits_the_schemas_of_the_measured_agent() -> None:
    (prompt,) = load(ROOT / "prompts" / AGENT).values()
    async with _client(Model()) as client:
        for example in prompt.meta.examples:
            answer = await client.chat.completions.create(
                model="stub",
                messages=cast("Any", prompt.render(example)),
                response_format=_format(prompt.meta.output),
            )
            Draft202012Validator(prompt.meta.output).validate(
                json.loads(answer.choices[0].message.content or "")
            )
            assert answer.choices[0].finish_reason == "stop"
            assert answer.usage
            assert answer.usage.prompt_tokens > 100
            assert answer.usage.completion_tokens > 10


async def test_without_a_schema_the_answer_is_text_about_the_question() -> None:
    async with _client(Model()) as client:
        answer = await client.chat.completions.create(model="stub", messages=_MESSAGES)
    assert answer.choices[0].message.content == "Disk full."


async def test_another_question_has_another_answer() -> None:
    async with _client(Model()) as client:
        other: Any = [{"role": "user", "content": "Printer gone."}]
        answers = [
            await client.chat.completions.create(model="stub", messages=messages)
            for messages in (_MESSAGES, other, _MESSAGES)
        ]
    assert [answer.choices[0].message.content for answer in answers] == [
        "Disk full.",
        "Printer gone.",
        "Disk full.",
    ]


async def test_latency_is_set_and_the_last_request_is_shown() -> None:
    model = Model()
    transport = httpx2.ASGITransport(application(model.handle))
    async with httpx2.AsyncClient(transport=transport, base_url="http://stub") as client:
        await client.put("/stub/latency", content="50")
        assert model.seconds == 0.05
        sent = {"model": "stub", "messages": _MESSAGES}
        await client.post("/openai/deployments/stub/chat/completions", json=sent)
        assert (await client.get("/stub/request")).json() == sent
        assert (await client.get("/nowhere")).status_code == 404


async def test_the_application_can_check_that_the_model_is_there() -> None:
    async with _client(Model()) as client:
        assert [one async for one in client.models.list()] == []
