"""Whether a principal's data-plane roles allow an action on a database or container."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from sandbox.arm.resource import Resource
from sandbox.azure.documentdb import naming
from sandbox.azure.documentdb.roles import below
from sandbox.services import Store

READ_METADATA = f"{naming.ACCOUNT}/readMetadata"
QUERY = f"{naming.CONTAINER}/executeQuery"
CHANGE_FEED = f"{naming.CONTAINER}/readChangeFeed"


def item(operation: str) -> str:
    """The action of an operation on items: create, read, replace, upsert, delete."""
    return f"{naming.CONTAINER}/items/{operation}"


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def _granted(definition: Resource, action: str) -> bool:
    permissions: Iterable[Mapping[str, Any]] = definition.properties["permissions"]
    return any(
        _matches(one["dataActions"], action) and not _matches(one["notDataActions"], action)
        for one in permissions
    )


def _scopes(store: Store, account: Resource, object_id: str, action: str) -> Iterator[str]:
    """Where (relative to the account) the principal has the action."""
    for assignment in store.list(type=naming.ROLE_ASSIGNMENT, under=str(account.id)):
        properties = assignment.properties
        if properties["principalId"].lower() != object_id.lower():
            continue
        definition = store.get(properties["roleDefinitionId"])
        scope = below(account, properties["scope"])
        if scope is not None and definition is not None and _granted(definition, action):
            yield scope


def allows(store: Store, account: Resource, object_id: str, action: str, resource: str) -> bool:
    """`resource` is "", `/dbs/X` or `/dbs/X/colls/Y`. An account's own metadata may be read by who may read
    any: clients begin with it, whatever the scope of their role."""
    scopes = _scopes(store, account, object_id, action)
    if action == READ_METADATA and not resource:
        return next(scopes, None) is not None
    return any(f"{resource}/".startswith(f"{scope}/") for scope in scopes)
