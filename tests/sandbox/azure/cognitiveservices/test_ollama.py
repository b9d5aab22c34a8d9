"""A configured Ollama answers instead; its absence is a 503 that says where it was looked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import openai
import pytest
from openai import AzureOpenAI

from sandbox.azure import cognitiveservices
from sandbox.azure.cognitiveservices import access
from sandbox.azure.cognitiveservices.accounts import AccountHandler
from sandbox.azure.cognitiveservices.deployments import DeploymentHandler
from tests.sandbox.azure.cognitiveservices.conftest import (
    ACCOUNT,
    URL,
    account_body,
    deployment_body,
    provide,
)
from tests.sandbox.azure.conftest import World


class FakeOllama(BaseHTTPRequestHandler):
    """Answers with the model it was asked for, whole or as events."""

    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        head = {"id": "o", "created": 1, "model": body["model"]}
        FakeOllama.asked.append(body)
        text = f"I am {body['model']} at {self.path}"
        if body.get("stream"):
            choice = {"index": 0, "delta": {"content": text}, "finish_reason": "stop"}
            chunk = {**head, "object": "chat.completion.chunk", "choices": [choice]}
            content, kind = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode(), "text/event-stream"
        else:
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            content = json.dumps({**head, "object": "chat.completion", "choices": [choice]}).encode()
            kind = "application/json"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def ollama() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeOllama)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(
    world: World, serve: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AzureOpenAI]:
    def make(**environment: str) -> AzureOpenAI:
        for name, value in environment.items():
            monkeypatch.setenv(f"AGENTS_SANDBOX_{name}", value)
        cognitiveservices.mount(world.services)
        world.put(AccountHandler, ACCOUNT, account_body())
        world.put(DeploymentHandler, f"{ACCOUNT}/deployments/chat", deployment_body())
        world.rbac.grant("agent", access.CHAT)
        serve()
        return AzureOpenAI(
            azure_endpoint=URL,
            azure_ad_token_provider=provide("agent"),
            api_version="2024-10-21",
            max_retries=0,
        )

    return make


MESSAGES: Any = [{"role": "user", "content": "hello"}]


def test_it_answers_instead(client: Callable[..., AzureOpenAI], ollama: str) -> None:
    with client(OLLAMA=ollama, OLLAMA_MODEL="llama3") as azure:
        answer = azure.chat.completions.create(model="chat", messages=MESSAGES)
        assert answer.choices[0].message.content == "I am llama3 at /v1/chat/completions"
        assert answer.model == "gpt-4o-2024-11-20"
        stream = azure.chat.completions.create(model="chat", messages=MESSAGES, stream=True)
        assert "".join(c.choices[0].delta.content or "" for c in stream).startswith("I am llama3")


@pytest.mark.parametrize("stream", [False, True])
def test_it_is_asked_in_its_own_words(
    client: Callable[..., AzureOpenAI], world: World, ollama: str, *, stream: bool
) -> None:
    with client(OLLAMA=ollama) as azure:
        world.put(DeploymentHandler, f"{ACCOUNT}/deployments/thinker", deployment_body("gpt-5.4-mini"))
        answer: Any = azure.chat.completions.create(
            model="thinker",
            messages=MESSAGES,
            max_completion_tokens=7,
            reasoning_effort="none",
            stream=stream,
        )
        assert not stream or list(answer)
    asked = FakeOllama.asked[-1]
    assert (asked["model"], asked["max_tokens"]) == ("gpt-5.4-mini", 7)
    assert asked.keys().isdisjoint({"max_completion_tokens", "reasoning_effort"})


def test_without_a_name_it_is_asked_for_the_deployments_model(
    client: Callable[..., AzureOpenAI], ollama: str
) -> None:
    with client(OLLAMA=ollama) as azure:
        answer = azure.chat.completions.create(model="chat", messages=MESSAGES)
    assert str(answer.choices[0].message.content).startswith("I am gpt-4o at")


@pytest.mark.parametrize("stream", [False, True])
def test_unreachable_is_a_503(client: Callable[..., AzureOpenAI], *, stream: bool) -> None:
    with client(OLLAMA="http://127.0.0.1:9") as azure, pytest.raises(openai.InternalServerError) as refused:
        azure.chat.completions.create(model="chat", messages=MESSAGES, stream=stream)
    assert refused.value.status_code == 503
    assert "http://127.0.0.1:9" in refused.value.message
