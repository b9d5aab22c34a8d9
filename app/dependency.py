"""What the application depends on, as its health report sees it."""

from __future__ import annotations

from typing import Protocol

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError


class DependencyError(Exception):
    """A service refused or was not reached; `status` is its HTTP status if it answered with one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RefusedError(DependencyError):
    """The service will never take what it was given: trying again is of no use."""


class Dependency(Protocol):
    """A service that is asked, as this process's identity, for something that changes nothing."""

    name: str

    async def check(self) -> None:
        """Raises DependencyError when the service cannot be used."""

    async def close(self) -> None: ...


def from_azure(error: AzureError) -> DependencyError:
    """What an Azure SDK reports. Without a token there is no status of the service; that is a 401."""
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status is None and isinstance(error, ClientAuthenticationError):
        status = 401
    # The message's first line says it; headers and bodies follow.
    return DependencyError(str(error.message).strip().split("\n", 1)[0], status)
