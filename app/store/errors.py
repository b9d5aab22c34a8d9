"""What can go wrong with Cosmos DB, as the application tells it apart."""

from __future__ import annotations

from azure.core.exceptions import AzureError, HttpResponseError

from app.dependency import DependencyError


class StoreError(DependencyError):
    """Cosmos DB refused or was not reached; what was asked may have been done all the same."""


class ConflictError(StoreError):
    """There is a document of that id already; nothing was written."""


class StaleError(StoreError):
    """The document is not the version that was read; nothing was written."""


def from_cosmos(error: AzureError) -> StoreError:
    """A batch's status is that of the operation that was refused."""
    status = error.status_code if isinstance(error, HttpResponseError) else None
    kind = {409: ConflictError, 412: StaleError}.get(status or 0, StoreError)
    return kind(str(error.message).strip(), status)
