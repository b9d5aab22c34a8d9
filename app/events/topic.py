"""The Event Grid topic that an agent publishes to."""

from __future__ import annotations

import httpx
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError

from app.dependency import DependencyError, from_azure
from app.settings import EventSettings

# https://learn.microsoft.com/azure/event-grid/authenticate-with-microsoft-entra-id
_SCOPE = "https://eventgrid.azure.net/.default"
_API_VERSION = "2018-01-01"
_BATCH = "application/cloudevents-batch+json; charset=utf-8"


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

    async def check(self) -> None:
        """Publish no event at all. Raises DependencyError.

        A caller without the role is refused before the batch is looked at; that the batch is empty (some
        topics take it, some call it a bad request) shows that it was.
        """
        try:
            token = await self._credential.get_token(_SCOPE)
        except AzureError as error:
            raise from_azure(error) from error
        headers = {"authorization": f"Bearer {token.token}", "content-type": _BATCH}
        try:
            answer = await self._client.post(
                self._endpoint, params={"api-version": _API_VERSION}, headers=headers, content=b"[]"
            )
        except httpx.HTTPError as error:
            raise DependencyError(f"not reachable: {error!r}") from error
        if not (answer.is_success or answer.status_code == httpx.codes.BAD_REQUEST):
            raise DependencyError(f"{answer.status_code} {answer.reason_phrase}", answer.status_code)

    async def close(self) -> None:
        await self._client.aclose()
