"""Resource Manager as a deployment uses it: the same requests that its principal could send, in its name.

They go to the sandbox's own endpoint without leaving the process, so authorization, validation, locks, the
activity log and asynchronous operations are those of every other request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Body, ResourceId
from sandbox.services import Services

#: Seconds between two looks at an operation, and at a resource that another one still works on.
_LOOK = 0.2
#: Seconds to wait at most for another operation on a resource.
_PATIENCE = 1800.0
_BUSY = "AnotherOperationInProgress"


class Client:
    """`principal` is the object id of who deploys; `correlation_id` ties its requests together."""

    def __init__(self, services: Services, principal: str, correlation_id: str) -> None:
        self._services = services
        self._principal = principal
        self._correlation_id = correlation_id
        self._base = f"https://{services.names.management}"
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(services.router))
        self._sent: set[asyncio.Task[httpx.Response]] = set()

    async def get(self, id: ResourceId, api_version: str) -> Body:  # noqa: A002
        """A resource as it is. Raises ARM's error."""
        response = await self._send("GET", id.text, api_version)
        _require(response)
        return _object(response)

    async def put(self, id: ResourceId, api_version: str, body: Mapping[str, Any]) -> int:  # noqa: A002
        """Make it so, and wait until it is: the status with which it was accepted.

        Raises ARM's own error where it is refused, and `ResourceDeploymentFailure` with it where it fails
        afterwards. Waits for an operation that is under way on the resource, such as that of a deployment
        which was interrupted.
        """
        end = time.monotonic() + _PATIENCE
        response = await self._send("PUT", id.text, api_version, body)
        while response.status_code == 409 and _error(response).code == _BUSY and time.monotonic() < end:
            await asyncio.sleep(_LOOK)
            response = await self._send("PUT", id.text, api_version, body)
        _require(response)
        operation = response.headers.get("Azure-AsyncOperation")
        if operation is not None:
            await self._finish(operation)
        return response.status_code

    async def _finish(self, url: str) -> None:
        while True:
            response = await self._request("GET", url)
            _require(response)
            told = _object(response)
            status = str(told.get("status"))
            if status == "Succeeded":
                return
            if status in ("Failed", "Canceled"):
                raise ArmError(
                    409,
                    "ResourceDeploymentFailure",
                    "The resource write operation failed to complete successfully, because it reached "
                    f"terminal provisioning state '{status}'.",
                    details=[_parsed(409, told.get("error") or {})],
                )
            await asyncio.sleep(_LOOK)

    async def _send(
        self, method: str, path: str, api_version: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        return await self._request(method, f"{self._base}{quote(path)}?api-version={api_version}", body)

    async def _request(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        try:
            token = self._services.tokens.issue(self._principal, self._base)
        except LookupError as error:
            raise ArmError(
                401, "InvalidAuthenticationToken", f"The deployment cannot go on: {error}."
            ) from error
        headers = {
            "Authorization": f"Bearer {token}",
            "x-ms-correlation-request-id": self._correlation_id,
        }
        request = asyncio.create_task(self._http.request(method, url, headers=headers, json=body))
        self._sent.add(request)
        request.add_done_callback(self._sent.discard)
        # What was sent is done to its end, though the deployment may be cancelled meanwhile.
        return await asyncio.shield(request)


def _require(response: httpx.Response) -> None:
    if response.status_code >= 400:
        raise _error(response)


def _error(response: httpx.Response) -> ArmError:
    return _parsed(response.status_code, _object(response).get("error") or {})


def _parsed(status: int, error: Mapping[str, Any]) -> ArmError:
    return ArmError(
        status,
        str(error.get("code", "InternalServerError")),
        str(error.get("message", "There is no message.")),
        error.get("target"),
        [_parsed(status, detail) for detail in error.get("details") or []],
    )


def _object(response: httpx.Response) -> Body:
    """The JSON object answered; empty for anything else, as from a part that is not there."""
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
