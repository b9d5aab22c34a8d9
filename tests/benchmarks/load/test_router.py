"""The router behind HTTP, with the stub of the model behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import httpx2
import pytest
from openai import AsyncOpenAI

from app.llm.dialect import OLLAMA
from app.llm.lineup import Place
from app.llm.providers import Provider
from app.llm.router import Router
from app.prompts.prompt import Prompt, load, violations
from app.settings import LLMSettings
from benchmarks.load.environments import ROOT
from benchmarks.load.router import handler
from benchmarks.load.stubs.http import application
from benchmarks.load.stubs.model import Model
from benchmarks.load.targets import AGENT


@pytest.fixture
def prompt() -> Prompt:
    return next(iter(load(ROOT / "prompts" / AGENT).values()))


@pytest.fixture
async def client(prompt: Prompt) -> AsyncIterator[httpx.AsyncClient]:
    model = httpx2.AsyncClient(transport=httpx2.ASGITransport(application(Model().handle)))
    openai = AsyncOpenAI(base_url="http://stub/openai/v1/", api_key="stub", max_retries=0, http_client=model)
    settings = LLMSettings.model_validate(
        {"AzureOpenAI": {"Endpoint": "http://stub", "DeploymentName": "stub"}}
    )
    router = Router(
        settings, AGENT, [Place(Provider("azure-openai", "azure.ai.openai", openai, "stub", OLLAMA), 10)]
    )
    transport = httpx.ASGITransport(application(handler(router, prompt)))
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as found:
        yield found
    await router.close()


async def test_a_chat_request_is_answered_with_what_fits_the_prompts_schema(
    client: httpx.AsyncClient, prompt: Prompt
) -> None:
    messages = prompt.render(prompt.meta.examples[0])
    answer = await client.post("/v1/chat/completions", json={"messages": messages})
    document = answer.raise_for_status().json()
    assert violations(prompt.meta.output, json.loads(document["choices"][0]["message"]["content"])) == []
    assert document["model"] == "stub"
    assert document["usage"]["prompt_tokens"] > 100


async def test_it_says_that_it_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/")).json() == {"status": "ready"}
