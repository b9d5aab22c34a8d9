"""Who may ask, how much, and what: everything else is refused as the service does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import AzureOpenAI, OpenAI

from sandbox.azure.cognitiveservices import access
from sandbox.azure.cognitiveservices.accounts import AccountHandler
from sandbox.azure.cognitiveservices.deployments import DeploymentHandler
from tests.sandbox.azure.cognitiveservices.conftest import (
    ACCOUNT,
    ASK,
    SCOPE,
    URL,
    account_body,
    azure,
    deployment_body,
)
from tests.sandbox.azure.conftest import World
from tests.sandbox.azure.fakes import token


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
