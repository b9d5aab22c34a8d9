"""The account that a database, a container, a role or their settings lie in."""

from __future__ import annotations

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource, ResourceId
from sandbox.azure.documentdb import naming
from sandbox.services import Store


def account_of(store: Store, id: ResourceId) -> Resource:  # noqa: A002
    """Raises ArmError 404 when it is gone."""
    text = id.text
    end = text.lower().index(f"/{naming.ACCOUNT.lower()}/") + len(naming.ACCOUNT) + 2
    account_id = text[:end] + text[end:].split("/", 1)[0]
    account = store.get(account_id)
    if account is None:
        raise ArmError(404, "ParentResourceNotFound", f"The account '{account_id}' was not found.")
    return account
