"""The health report: each dependency as this identity finds it, all at once, within a deadline."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
)

from app.api import health
from app.dependency import DependencyError, from_azure
from app.events.queue import Queue
from app.events.topic import Topic
from app.main import build, create_app
from app.settings import EventSettings, Settings, StorageSettings, VaultSettings
from app.vault import Vault
from tests.app.conftest import PROMPTS, FakeRouter, FakeStore, make_agent

HEALTH = "/api/notification/health"


def _forbidden(message: str) -> HttpResponseError:
    error = HttpResponseError(message)
    error.status_code = 403
    return error


class Service:
    """Answers after `seconds`, with `error` if there is one."""

    def __init__(self, name: str, seconds: float = 0, error: DependencyError | None = None) -> None:
        self.name, self.seconds, self.error, self.closed = name, seconds, error, False

    async def check(self) -> None:
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error

    async def close(self) -> None:
        self.closed = True


def _client(*services: Any) -> httpx.AsyncClient:
    llm: Any = FakeRouter()
    store: Any = FakeStore()
    transport = httpx.ASGITransport(create_app(make_agent(llm, store), services))
    return httpx.AsyncClient(transport=transport, base_url="http://agent")


async def _report(*services: Service) -> tuple[int, dict[str, dict[str, Any]]]:
    async with _client(*services) as client:
        answer = await client.get(HEALTH)
        assert (await client.get("/readyz")).status_code == 200
    return answer.status_code, {part["name"]: part for part in answer.json()["dependencies"]}


async def test_every_configured_dependency_is_reported() -> None:
    code, parts = await _report(Service("sql"), Service("queue"))
    assert code == 200
    assert set(parts) == {"cosmos", "llm", "sql", "queue"}


async def test_a_refusal_is_named_with_its_status_and_leaves_the_pod_ready() -> None:
    code, parts = await _report(Service("keyvault", error=DependencyError("no right to read", 403)))
    assert code == 503
    assert parts["keyvault"]["httpStatus"] == 403
    assert parts["keyvault"]["reason"] == "no right to read"
    assert parts["cosmos"]["status"] == "healthy"


async def test_dependencies_are_asked_at_once_and_no_longer_than_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "_TIMEOUT_SECONDS", 0.3)
    started = time.perf_counter()
    code, parts = await _report(Service("sql", 30), Service("queue", 30), Service("keyvault", 0.1))
    assert time.perf_counter() - started < 2
    assert code == 503
    assert parts["sql"]["reason"] == parts["queue"]["reason"] == "no answer within 0.3 s"
    assert parts["keyvault"]["status"] == "healthy"


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (_forbidden("Caller is not authorized.\nBody: …"), 403, "Caller is not authorized."),
        (ClientAuthenticationError("no federated credential"), 401, "no federated credential"),
        (ServiceRequestError("cannot connect"), None, "cannot connect"),
    ],
)
def test_what_an_sdk_reports_keeps_status_and_first_line(
    error: AzureError, status: int | None, reason: str
) -> None:
    found = from_azure(error)
    assert (found.status, str(found)) == (status, reason)


class Credential:
    async def get_token(self, *scopes: str, **_: Any) -> Any:
        return SimpleNamespace(token=scopes[0], expires_on=2**31)

    async def close(self) -> None: ...


def _topic(status: int, seen: list[httpx.Request]) -> Topic:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status)

    settings = EventSettings.model_validate({"Endpoint": "https://topic.example/api/events"})
    credential: Any = Credential()
    return Topic(settings, credential, httpx.AsyncClient(transport=httpx.MockTransport(answer)))


@pytest.mark.parametrize("status", [200, 400])
async def test_a_topic_is_asked_with_a_batch_of_no_event(status: int) -> None:
    seen: list[httpx.Request] = []
    await _topic(status, seen).check()
    (request,) = seen
    assert (request.method, request.content) == ("POST", b"[]")
    assert request.headers["authorization"] == "Bearer https://eventgrid.azure.net/.default"


@pytest.mark.parametrize("status", [401, 403, 404, 500])
async def test_a_topic_that_refuses_says_how(status: int) -> None:
    with pytest.raises(DependencyError) as refused:
        await _topic(status, []).check()
    assert refused.value.status == status


async def test_a_vault_that_lacks_the_probe_is_healthy_and_one_that_refuses_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    credential: Any = Credential()
    vault = Vault(VaultSettings.model_validate({"Uri": "https://kv.vault.example"}), credential)
    answer: AzureError = ResourceNotFoundError("SecretNotFound")

    async def get_secret(*_: Any, **__: Any) -> None:
        raise answer

    monkeypatch.setattr(vault._client, "get_secret", get_secret)
    await vault.check()
    answer = _forbidden("Forbidden")
    with pytest.raises(DependencyError) as refused:
        await vault.check()
    assert refused.value.status == 403


async def test_a_queue_is_looked_at_without_taking_a_message() -> None:
    settings = StorageSettings.model_validate(
        {"QueueEndpoint": "https://st.queue.example/", "Queue": "notification"}
    )
    credential: Any = Credential()
    queue = Queue(settings, credential)
    assert queue._client.url == "https://st.queue.example/notification"
    await queue.close()


async def test_only_what_the_environment_names_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AGENT": "notification",
        "PROMPTS": str(PROMPTS),
        "LLMProvider__ProviderType": "Ollama",
        "CosmosDb__Endpoint": "https://cosmos.example",
        "KeyVault__Uri": "https://kv.vault.example",
        "Storage__QueueEndpoint": "https://st.queue.example/",
        "Storage__Queue": "notification",
        "EventGrid__Endpoint": "https://topic.example/api/events",
        "Sql__Server": "sql.example",
        "Sql__User": "id-notification-agents-dev",
    }.items():
        monkeypatch.setenv(name, value)

    monkeypatch.setattr(health, "_check", _named)
    app = build(Settings())  # type: ignore[call-arg]
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        report = (await client.get(HEALTH)).json()
    assert {part["name"] for part in report["dependencies"]} == {
        "cosmos",
        "llm",
        "sql",
        "keyvault",
        "queue",
        "eventgrid",
        "prompts",
    }


async def _named(name: str, call: Any) -> health.Dependency:
    call.close()
    return health.Dependency(name=name, status="healthy")
