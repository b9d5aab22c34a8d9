"""Servers on loopback and providers that call them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.llm.dialect import Dialect
from app.llm.providers import Provider, make_client
from app.settings import ProviderName
from tests.app.llm.stub import Server, serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


@pytest.fixture
async def backup() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


#: As it is lined up for the default model.
AZURE = Dialect("max_completion_tokens", "none")
Connect = Callable[..., Provider]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes providers, as `connect(url, name)`, and closes them."""
    made: list[Provider] = []

    def make(
        url: str, name: ProviderName = "azure-openai", api_key: Any = "none", dialect: Dialect = AZURE
    ) -> Provider:
        client = make_client(f"{url}/openai/v1/", api_key)
        made.append(Provider(name, "azure.ai.openai", client, "gpt-5.4-mini", dialect))
        return made[-1]

    yield make
    for provider in made:
        await provider.close()
