"""Event Grid's way into storage accounts: their data plane, asked as anyone else would ask it.

Requests go to the sandbox's own endpoints without leaving the process, so roles, keys and policies of the
account apply. They come from the gateway's address, as those of all of Azure's own services do, so that
network rules with the bypass `AzureServices` let them pass. Without an identity Event Grid uses the
account's key, which an account may forbid.
"""

from __future__ import annotations

import time

import httpx

from sandbox.arm.resource import Resource
from sandbox.azure.account_keys import account_keys
from sandbox.azure.storage import sharedkey
from sandbox.services import Services

_AUDIENCE = "https://storage.azure.com"
_VERSION = "2021-12-02"
#: Seconds that a token is used again; far less than one lives.
_TOKEN_SECONDS = 300


class StorageAccess:
    def __init__(self, services: Services) -> None:
        self._services = services
        transport = httpx.ASGITransport(services.router, client=(str(services.config.gateway), 0))
        self._client = httpx.AsyncClient(transport=transport)
        self._tokens: dict[str, tuple[float, str]] = {}

    async def send(
        self,
        account: Resource,
        service: str,
        method: str,
        target: str,
        body: bytes,
        *,
        principal: str | None,
        headers: sharedkey.Headers = (),
    ) -> int:
        """The status of the answer. `target` is path and query, encoded; raises nothing but cancellation."""
        name = account.id.name
        host = f"{name}.{service}.{self._services.names.service('storage')}"
        own = [("host", host), ("x-ms-version", _VERSION), ("content-length", str(len(body))), *headers]
        if principal is None:
            key = account_keys(self._services.config.state).get(account, 1)
            own = sharedkey.sign(name, key, method, target, own)
        else:
            own.append(("authorization", f"Bearer {self._token(principal)}"))
        request = httpx.Request(method, f"https://{host}{target}", headers=own, content=body)
        return (await self._client.send(request)).status_code

    def _token(self, principal: str) -> str:
        made, token = self._tokens.get(principal, (0.0, ""))
        now = time.monotonic()
        if not token or now - made > _TOKEN_SECONDS:
            token = self._services.tokens.issue(principal, _AUDIENCE)
            self._tokens[principal] = (now, token)
        return token
