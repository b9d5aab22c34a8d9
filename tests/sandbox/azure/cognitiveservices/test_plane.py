"""The data plane through the unmodified `openai` SDK: completions, streams, embeddings."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI

from sandbox.azure.cognitiveservices.responder import FILTERED_PHRASE
from tests.sandbox.azure.cognitiveservices.conftest import (
    ACCOUNT,
    ASK,
    SCOPE,
    URL,
)
from tests.sandbox.azure.conftest import GROUP, World
from tests.sandbox.azure.fakes import token


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


def test_the_content_filter(client: AzureOpenAI) -> None:
    messages: Any = [{"role": "user", "content": f"Now {FILTERED_PHRASE} please"}]
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="chat", messages=messages)
    assert refused.value.code == "content_filter"
    body: Any = refused.value.body
    assert body["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert body["innererror"]["content_filter_result"]["violence"]["filtered"] is True


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
