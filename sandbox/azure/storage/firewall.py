"""Which networks an account's services answer. What is refused is not told why.

https://learn.microsoft.com/azure/storage/common/storage-network-security
"""

from __future__ import annotations

from starlette.requests import Request

from sandbox.arm.resource import Resource
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.permissions import Service
from sandbox.network.admission import Connection, of_acls, refusal
from sandbox.services import Services


def require(services: Services, account: Resource, service: Service, request: Request) -> None:
    """Raise StorageError 403 unless the request came by a way that the account allows."""
    rules = of_acls(account.properties)
    if refusal(services, account, service, rules, Connection.of(request)) is not None:
        raise StorageError(
            403, "AuthorizationFailure", "This request is not authorized to perform this operation."
        )
