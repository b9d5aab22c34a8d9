"""A cluster's API for the sandbox's own use, as its administrator. Plain HTTP and JSON."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from sandbox.aks.controlplane import ControlPlane

_MERGE = {"Content-Type": "application/merge-patch+json"}


class ApiError(Exception):
    """The API server refused or did not answer; `status` is 0 when there was no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Requests to one API server, at its address (its name may not resolve where this runs)."""

    def __init__(self, plane: ControlPlane) -> None:
        context = ssl.create_default_context(cafile=str(plane.services.config.ca_certificate))
        certificate, key = plane.authority.issue(plane.keys / "admin", "admin", "system:masters")
        context.load_cert_chain(certificate, key)
        self._client = httpx.AsyncClient(
            base_url=f"https://{plane.layout.address}:443", verify=context, timeout=15, trust_env=False
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        return await self._send("GET", path, params=query)

    async def find(self, path: str) -> dict[str, Any] | None:
        try:
            return await self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def patch(self, path: str, change: Mapping[str, Any]) -> dict[str, Any]:
        """A JSON merge patch."""
        return await self._send("PATCH", path, json=change, headers=_MERGE)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._send("POST", path, json=body)

    async def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._send("PUT", path, json=body)

    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[str]:
        """The lines of an answer that does not end soon (a watch)."""
        try:
            patient = httpx.Timeout(15, read=None)
            async with self._client.stream("GET", path, params=query, timeout=patient) as answer:
                if answer.is_error:
                    raise ApiError(answer.status_code, f"GET {path}: {answer.status_code}")
                async for line in answer.aiter_lines():
                    yield line
        except httpx.HTTPError as error:
            raise ApiError(0, f"GET {path}: {error!r}") from error

    async def delete(self, path: str) -> None:
        """A no-op when it does not exist."""
        try:
            await self._send("DELETE", path)
        except ApiError as error:
            if error.status != 404:
                raise

    async def ready(self) -> bool:
        try:
            return (await self._client.get("/readyz", timeout=3)).status_code == 200
        except httpx.HTTPError:
            return False

    async def wait_ready(self, seconds: float) -> None:
        """Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not await self.ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"The API server did not get ready within {seconds:.0f} s")
            await asyncio.sleep(0.2)

    async def _send(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise ApiError(0, f"{method} {path}: {error!r}") from error
        if answer.is_error:
            raise ApiError(answer.status_code, f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        body: dict[str, Any] = answer.json()
        return body
