"""An account with deployments, served; clients of the `openai` SDK for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openai import AzureOpenAI

from sandbox.azure import cognitiveservices
from sandbox.azure.cognitiveservices import access
from sandbox.azure.cognitiveservices.accounts import AccountHandler
from sandbox.azure.cognitiveservices.deployments import DeploymentHandler
from tests.sandbox.azure.conftest import World
from tests.sandbox.azure.fakes import token

ACCOUNT = "Microsoft.CognitiveServices/accounts/oai-agents-dev"
URL = "https://oai-agents-dev.openai.azure.test"
SCOPE = "https://cognitiveservices.azure.com"

ASK: list[Any] = [
    {"role": "system", "content": "You write notifications."},
    {"role": "user", "content": "The database failed over to North Europe. Severity is high. Tell the team."},
]


def account_body(**properties: Any) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {"customSubDomainName": "oai-agents-dev", "disableLocalAuth": True, **properties},
    }


def deployment_body(model: str = "gpt-4o", capacity: int = 100, sku: str = "Standard") -> dict[str, Any]:
    return {
        "sku": {"name": sku, "capacity": capacity},
        "properties": {"model": {"format": "OpenAI", "name": model}},
    }


def provide(object_id: str) -> Callable[[], str]:
    """A token provider, as azure-identity's get_bearer_token_provider makes them."""
    return lambda: token(object_id, SCOPE)


def azure(object_id: str = "agent", **options: Any) -> AzureOpenAI:
    settings = {"api_version": "2024-10-21", "max_retries": 0, **options}
    return AzureOpenAI(azure_endpoint=URL, azure_ad_token_provider=provide(object_id), **settings)


@pytest.fixture
def plane(world: World, serve: Callable[[], None]) -> World:
    cognitiveservices.mount(world.services)
    world.put(AccountHandler, ACCOUNT, account_body())
    for name, model in (
        ("chat", "gpt-4o"),
        ("thinker", "gpt-5.4-mini"),
        ("words", "text-embedding-3-small"),
        ("old-words", "text-embedding-ada-002"),
    ):
        world.put(DeploymentHandler, f"{ACCOUNT}/deployments/{name}", deployment_body(model))
    world.rbac.grant("agent", access.CHAT, access.EMBEDDINGS, access.MODELS)
    serve()
    return world


@pytest.fixture
def client(plane: World) -> Iterator[AzureOpenAI]:
    with azure() as one:
        yield one
