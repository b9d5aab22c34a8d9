"""The Event Grid topic that an agent publishes to.

https://learn.microsoft.com/azure/event-grid/post-to-custom-topic
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError

from app.dependency import DependencyError, RefusedError, from_azure
from app.settings import EventSettings

# https://learn.microsoft.com/azure/event-grid/authenticate-with-microsoft-entra-id
_SCOPE = "https://eventgrid.azure.net/.default"
_API_VERSION = "2018-01-01"
_BATCH = "application/cloudevents-batch+json; charset=utf-8"
# What no later attempt changes: not an event, or too large.
_FOR_GOOD = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE})


class Publisher(Protocol):
    """The topic, as far as who publishes again needs it; see `Topic`."""

    async def publish(self, events: Sequence[dict[str, Any]]) -> None: ...


class Topic:
    name = "eventgrid"

    def __init__(
        self,
        settings: EventSettings,
        credential: AsyncTokenCredential,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._endpoint = str(settings.endpoint)
        self._credential = credential
        self._client = client or httpx.AsyncClient()

    async def publish(self, events: Sequence[dict[str, Any]]) -> None:
        """All in one request, accepted and durable when it returns.

        Raises RefusedError when the topic will never take them, else DependencyError.
        """
        answer = await self._post(json.dumps(list(events), ensure_ascii=False).encode())
        if answer.is_success:
            return
        kind = RefusedError if answer.status_code in _FOR_GOOD else DependencyError
        raise kind(f"{answer.status_code} {answer.reason_phrase}", answer.status_code)

    async def check(self) -> None:
        """Publish no event at all. Raises DependencyError.

        A caller without the role is refused before the batch is looked at; that the batch is empty (some
        topics take it, some call it a bad request) shows that it was.
        """
        answer = await self._post(b"[]")
        if not (answer.is_success or answer.status_code == httpx.codes.BAD_REQUEST):
            raise DependencyError(f"{answer.status_code} {answer.reason_phrase}", answer.status_code)

    async def _post(self, content: bytes) -> httpx.Response:
        try:
            token = await self._credential.get_token(_SCOPE)
        except AzureError as error:
            raise from_azure(error) from error
        headers = {"authorization": f"Bearer {token.token}", "content-type": _BATCH}
        try:
            return await self._client.post(
                self._endpoint, params={"api-version": _API_VERSION}, headers=headers, content=content
            )
        except httpx.HTTPError as error:
            raise DependencyError(f"not reachable: {error!r}") from error

    async def close(self) -> None:
        await self._client.aclose()
