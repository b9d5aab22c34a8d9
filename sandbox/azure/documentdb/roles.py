"""`sqlRoleDefinitions` and `sqlRoleAssignments`: who may do what in an account's data plane."""

from __future__ import annotations

import copy
import re

from sandbox.arm.errors import bad_request, conflict
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.azure.documentdb import builtin_roles, naming
from sandbox.azure.documentdb.ancestry import account_of

_SCOPE = re.compile(r"(/dbs/[^/]+(/colls/[^/]+)?)?")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: Every data action there is. Source: the reference of data-plane roles, see builtin_roles.
_ACTIONS = frozenset(
    f"{naming.ACCOUNT}/{action}".lower()
    for action in (
        "readMetadata",
        *(
            f"sqlDatabases/containers/{action}"
            for action in (
                "executeQuery",
                "readChangeFeed",
                "executeStoredProcedure",
                "manageConflicts",
                "*",
                "items/create",
                "items/read",
                "items/replace",
                "items/upsert",
                "items/delete",
                "items/*",
            )
        ),
    )
)


def below(account: Resource, scope: str) -> str | None:
    """A scope relative to its account: "", `/dbs/X` or `/dbs/X/colls/Y`; None when it lies elsewhere."""
    scope = scope.rstrip("/")
    root = str(account.id)
    rest = scope[len(root) :] if scope.lower().startswith(root.lower()) else scope
    return rest if _SCOPE.fullmatch(rest) else None


def _check_scope(account: Resource, scope: object, target: str) -> None:
    if not isinstance(scope, str) or below(account, scope) is None:
        raise bad_request(
            "BadRequest",
            f"The scope '{scope}' is not the account '{account.id}', a database (/dbs/NAME) or a container "
            "(/dbs/NAME/colls/NAME) in it.",
            target,
        )


class RoleDefinitionHandler(Handler):
    type = naming.ROLE_DEFINITION
    long_running = True
    created_status = updated_status = 202

    async def check(self, put: Put) -> None:
        account = account_of(self.services.store, put.id)
        properties = put.body.get("properties") or {}
        if put.id.name in (builtin_roles.READER, builtin_roles.CONTRIBUTOR):
            raise builtin_roles.refusal()
        if not properties.get("roleName") or not properties.get("permissions"):
            raise bad_request("BadRequest", "A role definition needs roleName and permissions.", "properties")
        for number, scope in enumerate(properties.get("assignableScopes") or ()):
            _check_scope(account, scope, f"properties.assignableScopes[{number}]")
        for number, permission in enumerate(properties["permissions"]):
            for action in permission.get("dataActions") or ():
                if action.lower() not in _ACTIONS:
                    raise bad_request(
                        "BadRequest",
                        f"'{action}' is not a data action of Cosmos DB.",
                        f"properties.permissions[{number}].dataActions",
                    )
        siblings = self.services.store.list(type=self.type, under=str(account.id))
        if any(r.id != put.id and r.properties.get("roleName") == properties["roleName"] for r in siblings):
            raise conflict("Conflict", f"A role definition named '{properties['roleName']}' exists already.")

    async def fill(self, put: Put) -> Body:
        account = account_of(self.services.store, put.id)
        body = copy.deepcopy(put.body)
        permissions = [
            {"dataActions": item.get("dataActions") or [], "notDataActions": item.get("notDataActions") or []}
            for item in body["properties"]["permissions"]
        ]
        body["properties"] = {
            "type": "CustomRole",
            "assignableScopes": [str(account.id)],
            **body["properties"],
            "permissions": permissions,
        }
        return body


class RoleAssignmentHandler(Handler):
    type = naming.ROLE_ASSIGNMENT
    long_running = True
    created_status = updated_status = 202

    async def check(self, put: Put) -> None:
        account = account_of(self.services.store, put.id)
        properties = put.body.get("properties") or {}
        _check_scope(account, properties.get("scope"), "properties.scope")
        if not _GUID.fullmatch(str(properties.get("principalId"))):
            raise bad_request(
                "BadRequest",
                f"The principal id '{properties.get('principalId')}' is not an Entra object id.",
                "properties.principalId",
            )
        definition = self.services.store.get(str(properties.get("roleDefinitionId", "-")))
        if definition is None or definition.id.type.lower() != naming.ROLE_DEFINITION.lower():
            raise bad_request(
                "BadRequest",
                f"The role definition '{properties.get('roleDefinitionId')}' does not exist in the account.",
                "properties.roleDefinitionId",
            )
        assignable = [below(account, scope) for scope in definition.properties["assignableScopes"]]
        scope = below(account, properties["scope"])
        if not any(top is not None and f"{scope}/".startswith(f"{top}/") for top in assignable):
            raise bad_request(
                "BadRequest",
                f"The role '{definition.properties['roleName']}' cannot be assigned at '{scope}'.",
                "properties.scope",
            )
