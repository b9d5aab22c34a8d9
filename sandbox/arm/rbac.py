"""Azure RBAC: does a role assignment at or above a scope grant an action? Implements `services.Rbac`.

Actions are compared case-insensitively; `*` stands for any characters, slashes included. `notActions` take
away from their own permission only. Assignments are read from the store and kept until one changes.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Principal
from sandbox.arm.roles import Role, built_in, custom
from sandbox.arm.store import SqliteStore

ASSIGNMENT_TYPE = "Microsoft.Authorization/roleAssignments"
DEFINITION_TYPE = "Microsoft.Authorization/roleDefinitions"


@lru_cache(maxsize=4096)
def _pattern(action: str) -> re.Pattern[str]:
    # `x/*/read` covers `x/read` too: Key Vault Reader reads vaults and Managed Identity Operator assigns
    # identities by actions that are spelt so.
    parts = [".*".join(map(re.escape, part.split("*"))) for part in action.split("/*/")]
    return re.compile("/(?:.*/)?".join(parts), re.IGNORECASE)


def _matches(patterns: tuple[str, ...], action: str) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


def grants(role: Role, action: str, *, data: bool) -> bool:
    """Whether one role's permission covers an action."""
    allowed, denied = (role.data_actions, role.not_data_actions) if data else (role.actions, role.not_actions)
    return _matches(allowed, action) and not _matches(denied, action)


def covers(assigned: str, scope: str) -> bool:
    """Whether an assignment's scope is `scope` or above it (both lower-case, without trailing slash)."""
    return assigned in (scope, "") or scope.startswith(assigned + "/")


class StoredRbac:
    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._version = -1
        self._assigned: dict[str, list[tuple[str, str]]] = {}
        self._custom: dict[str, list[Role]] = {}

    def allows(self, object_id: str, action: str, scope: str, *, data: bool = False) -> bool:
        self._refresh()
        wanted = scope.rstrip("/").lower()
        return any(
            grants(role, action, data=data)
            for assigned, definition in self._assigned.get(object_id.lower(), ())
            if covers(assigned, wanted)
            for role in self.roles(definition)
        )

    def require(self, principal: Principal, action: str, scope: str, *, data: bool = False) -> None:
        if self.allows(principal.object_id, action, scope, data=data):
            return
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have "
            "authorization "
            f"to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was "
            "recently "
            "granted, please refresh your credentials.",
        )

    def roles(self, definition: str) -> list[Role]:
        """What a role definition (its GUID) permits; nothing when there is no such definition."""
        self._refresh()
        name = definition.lower()
        role = built_in().get(name)
        return [role] if role else self._custom.get(name, [])

    def _refresh(self) -> None:
        version = self._store.authorization_version
        if version == self._version:
            return
        assigned: dict[str, list[tuple[str, str]]] = {}
        for found in self._store.list(type=ASSIGNMENT_TYPE):
            properties = found.properties
            definition = str(properties["roleDefinitionId"]).rpartition("/")[2]
            entry = (found.id.scope.rstrip("/").lower(), definition)
            assigned.setdefault(str(properties["principalId"]).lower(), []).append(entry)
        self._custom = {
            found.id.name.lower(): custom(found.id.name, found.properties)
            for found in self._store.list(type=DEFINITION_TYPE)
        }
        self._assigned = assigned
        self._version = version
