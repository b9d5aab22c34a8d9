"""From a stack's settings to a model's answer: what agents send, and what the sandbox takes and refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.llm import structured
from app.llm.chat import Answer, Chat
from app.llm.dialect import Dialect
from app.llm.failures import Kind, LLMError
from app.llm.lineup import line_up
from app.llm.providers import Provider
from app.prompts.prompt import load
from app.settings import read
from infra.settings.sections import ModelSettings
from infra.workload.dependencies import Dependencies
from sandbox.azure import cognitiveservices
from sandbox.azure.cognitiveservices import access
from sandbox.azure.cognitiveservices.accounts import AccountHandler
from sandbox.azure.cognitiveservices.deployments import DeploymentHandler
from sandbox.azure.cognitiveservices.responder import THOUGHT
from tests.sandbox.azure.cognitiveservices.conftest import ACCOUNT, URL, account_body, deployment_body
from tests.sandbox.azure.conftest import make_world, serving
from tests.sandbox.azure.fakes import Credential

PROMPTS = [
    prompt
    for folder in sorted(Path("prompts").iterdir())
    if folder.is_dir()
    for prompt in load(folder).values()
]


class AsyncCredential:
    async def get_token(self, *scopes: str, **options: Any) -> Any:
        return Credential("agent").get_token(*scopes, **options)

    async def close(self) -> None: ...


CREDENTIAL: Any = AsyncCredential()
Deploy = Callable[[ModelSettings], Awaitable[Provider]]


@pytest.fixture
async def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Deploy]:
    """Deploys a stack's model, and lines it up with what the stack tells its agents."""
    world, made = make_world(tmp_path), list[Provider]()
    cognitiveservices.mount(world.services)
    await world.aput(AccountHandler, ACCOUNT, account_body())
    world.rbac.grant("agent", access.CHAT)

    async def make(model: ModelSettings) -> Provider:
        body = deployment_body(model.name, model.capacity, "GlobalStandard")
        body["properties"]["model"]["version"] = model.version
        await world.aput(DeploymentHandler, f"{ACCOUNT}/deployments/{model.name}", body)
        needs = Dependencies(
            "https://cosmos.example",
            URL,
            model.name,
            "https://kv.example",
            openai_effort=model.effort,
            openai_thought=model.thought,
        )
        monkeypatch.setenv("AGENT", "notification")
        for name, value in needs.environment("notification", "id-notification").items():
            monkeypatch.setenv(name, str(value))
        (place,) = line_up(read().llm, CREDENTIAL)
        made.append(place.provider)
        return place.provider

    with serving(world):
        yield make
        for provider in made:
            await provider.close()


async def _streamed(provider: Provider, chat: Chat) -> Answer:
    parts = [part async for part in provider.stream(chat, 10)]
    answer = parts.pop()
    assert isinstance(answer, Answer)
    assert "".join(part for part in parts if isinstance(part, str)) == answer.text
    return answer


MODELS = [
    ModelSettings(capacity=1000),
    ModelSettings(capacity=1000, reasoning="low"),
    ModelSettings(
        name="gpt-5.4", version="2026-03-05", capacity=1000, reasoning="high", reasoning_tokens=2000
    ),
    ModelSettings(name="gpt-4.1-mini", version="2025-04-14", capacity=1000),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.name}-{model.effort}")
async def test_every_prompt_is_answered_whole_and_in_pieces(deploy: Deploy, model: ModelSettings) -> None:
    provider = await deploy(model)
    for prompt in PROMPTS:
        chat = Chat.of(prompt, prompt.render(prompt.meta.examples[0]))
        whole, pieces = await provider.complete(chat, 10), await _streamed(provider, chat)
        assert structured.parse(prompt.meta.output, whole) == structured.parse(prompt.meta.output, pieces)
        assert whole.model == f"{model.name}-{model.version}"
        assert whole.completion_tokens == pieces.completion_tokens <= provider.dialect.limit(chat)


async def test_what_is_thought_is_counted(deploy: Deploy) -> None:
    prompt = PROMPTS[0]
    chat = Chat.of(prompt, prompt.render(prompt.meta.examples[0]))
    plain = await (await deploy(MODELS[0])).complete(chat, 10)
    thought = await (await deploy(MODELS[1])).complete(chat, 10)
    assert thought.text == plain.text
    assert thought.completion_tokens == plain.completion_tokens + THOUGHT["low"]


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        (Dialect("max_tokens"), "'max_tokens' is not supported with this model"),
        (Dialect("max_completion_tokens"), "'temperature' does not support 0.2 with this model"),
        (Dialect("max_completion_tokens", "minimal"), "'reasoning_effort' does not support 'minimal'"),
    ],
    ids=["ollama", "no-reasoning", "older-reasoning"],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_dialect_of_another_is_refused(
    deploy: Deploy, dialect: Dialect, said: str, *, stream: bool
) -> None:
    provider = await deploy(MODELS[0])
    provider.dialect = dialect
    chat = Chat([{"role": "user", "content": "Now."}], PROMPTS[0].meta.output, 0.2, 100)
    with pytest.raises(LLMError) as refused:
        await (_streamed(provider, chat) if stream else provider.complete(chat, 10))
    assert (refused.value.kind, refused.value.status) == (Kind.REFUSED, 400)
    assert said in str(refused.value)
