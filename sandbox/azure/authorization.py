"""Microsoft.Authorization: role assignments and role definitions at any scope."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.filters import Term, parse_filter
from sandbox.arm.handler import Handler, Put
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.rbac import ASSIGNMENT_TYPE, DEFINITION_TYPE, covers
from sandbox.arm.resource import Body, Resource
from sandbox.arm.roles import built_in
from sandbox.arm.store import timestamp
from sandbox.config import TENANT_ID

_TRIPLE = ("principalId", "roleDefinitionId")


def _terms(call: OperationCall) -> list[Term]:
    text = call.query.get("$filter", "").strip()
    return parse_filter(text) if text else []


def _scope(call: OperationCall) -> str:
    return "/" + call.parameters.get("scope", "").strip("/")


def _role(definition: str) -> str:
    """The GUID of a role definition's id, which may be spelt with or without a scope."""
    return definition.rstrip("/").rpartition("/")[2].lower()


def _audit(put: Put, now: float) -> Body:
    who = put.principal.object_id
    before = put.previous.properties if put.previous else {}
    return {
        "createdOn": before.get("createdOn") or timestamp(now),
        "createdBy": before.get("createdBy") or who,
        "updatedOn": timestamp(now),
        "updatedBy": who,
    }


class RoleAssignmentHandler(Handler):
    type = ASSIGNMENT_TYPE
    # The management client accepts no other answer to a PUT, even of an assignment that exists.
    updated_status = 201
    answers_deleted = True

    async def check(self, put: Put) -> None:
        sent = put.body["properties"]
        self._check_role(put, str(sent["roleDefinitionId"]))
        if put.previous is not None and any(
            _same(name, sent) != _same(name, put.previous.properties) for name in _TRIPLE
        ):
            raise _not_updatable()
        for other in self.services.store.list(type=self.type):
            if other.id == put.id:
                continue
            if other.id.name.lower() == put.id.name.lower():
                raise _not_updatable()
            if _key(other.id.scope, other.properties) == _key(put.id.scope, sent):
                raise conflict(
                    "RoleAssignmentExists",
                    "The role assignment already exists. The ID of the existing role assignment is "
                    f"{other.id.name.replace('-', '')}.",
                )
        self._check_principal(str(sent["principalId"]), sent.get("principalType"))

    async def fill(self, put: Put) -> Body:
        sent = put.body["properties"]
        role = _role(str(sent["roleDefinitionId"]))
        subscription = f"/subscriptions/{put.id.subscription}" if put.id.subscription else ""
        return {
            "properties": {
                "roleDefinitionId": f"{subscription}/providers/{DEFINITION_TYPE}/{role}",
                "principalId": sent["principalId"],
                "principalType": sent.get("principalType") or "ServicePrincipal",
                "scope": put.id.scope or "/",
                "condition": sent.get("condition"),
                "conditionVersion": sent.get("conditionVersion"),
                **_audit(put, time.time()),
                "delegatedManagedIdentityResourceId": sent.get("delegatedManagedIdentityResourceId"),
                "description": sent.get("description"),
            }
        }

    def operations(self) -> Sequence[Operation]:
        path = f"/{{+scope}}/providers/{self.type}"
        return (Operation("GET", path, f"{self.type}/read", self._list),)

    async def _list(self, call: OperationCall) -> Answer:
        """At, above and below the scope; `atScope()` leaves out what is below."""
        scope, terms = _scope(call).lower(), _terms(call)
        at_scope = any(term.operator == "atscope" for term in terms)
        principals = {
            term.value.lower()
            for term in terms
            if term.operator == "assignedto" or term.field == "principalid"
        }
        values = []
        for found in self.services.store.list(type=self.type):
            assigned = found.id.scope.lower().rstrip("/")
            near = covers(assigned, scope) or (not at_scope and covers(scope.rstrip("/"), assigned))
            if near and (not principals or str(found.properties["principalId"]).lower() in principals):
                values.append(found.wire())
        return Answer(body={"value": values})

    def _check_role(self, put: Put, definition: str) -> None:
        name = _role(definition)
        custom = [
            each for each in self.services.store.list(type=DEFINITION_TYPE) if each.id.name.lower() == name
        ]
        if name not in built_in() and not custom:
            raise ArmError(
                404,
                "RoleDefinitionDoesNotExist",
                f"The specified role definition with ID '{name}' does not exist.",
            )
        for role in custom:
            scopes = [str(scope).lower().rstrip("/") for scope in role.properties["assignableScopes"]]
            if not any(covers(scope, put.id.scope.lower()) for scope in scopes):
                raise bad_request(
                    "RoleAssignmentScopeNotAssignableToRoleDefinition",
                    f"The given role assignment scope '{put.id.scope}' is not valid for the role "
                    "definition's "
                    f"assignable scopes '{', '.join(scopes)}'.",
                )

    def _check_principal(self, object_id: str, kind: str | None) -> None:
        """People and groups are not kept in the sandbox's directory: theirs is taken on trust."""
        if kind in ("User", "Group", "ForeignGroup", "Device"):
            return
        if self.services.principals.kind(object_id) is None:
            raise bad_request(
                "PrincipalNotFound",
                f"Principal {object_id.replace('-', '')} does not exist in the directory {TENANT_ID}. "
                "Check that you "
                "have the correct principal ID. If you are creating this principal and then immediately "
                "assigning a "
                "role, this error might be related to a replication delay. In this case, set the role "
                "assignment "
                "principalType property to a value, such as ServicePrincipal, User, or Group. "
                "See https://aka.ms/docs-principaltype",
            )


class RoleDefinitionHandler(Handler):
    """Custom roles are stored; the built-in ones are shown at every scope and cannot be changed."""

    type = DEFINITION_TYPE
    updated_status = 201
    answers_deleted = True

    async def check(self, put: Put) -> None:
        sent = put.body.get("properties") or {}
        name = str(sent.get("roleName", "")).strip()
        if put.id.name.lower() in built_in() or name.lower() in {
            role.name.lower() for role in built_in().values()
        }:
            raise bad_request(
                "RoleDefinitionCannotBeModified", f"The built-in role '{name}' cannot be changed."
            )
        if not name:
            raise bad_request(
                "RoleDefinitionNameNullOrEmpty", "A role definition needs a roleName.", "properties.roleName"
            )
        if not sent.get("assignableScopes"):
            raise bad_request(
                "MissingAssignableScopes",
                "The assignableScopes property is required.",
                "properties.assignableScopes",
            )
        for other in self.services.store.list(type=self.type):
            if (
                other.id.name.lower() != put.id.name.lower()
                and other.properties["roleName"].lower() == name.lower()
            ):
                raise conflict(
                    "RoleDefinitionWithSameNameExists",
                    "A custom role with the same name already exists in this directory. Use a different "
                    f"name: '{name}'.",
                )

    async def fill(self, put: Put) -> Body:
        sent = put.body["properties"]
        permissions = [
            {
                key: list(each.get(key) or ())
                for key in ("actions", "notActions", "dataActions", "notDataActions")
            }
            for each in sent.get("permissions") or ()
        ]
        return {
            "properties": {
                "roleName": sent["roleName"],
                "type": "CustomRole",
                "description": sent.get("description", ""),
                "assignableScopes": sent["assignableScopes"],
                "permissions": permissions,
                **_audit(put, time.time()),
            }
        }

    async def delete(self, resource: Resource) -> None:
        for found in self.services.store.list(type=ASSIGNMENT_TYPE):
            if _role(str(found.properties["roleDefinitionId"])) == resource.id.name.lower():
                raise bad_request(
                    "RoleDefinitionHasAssignments",
                    "There are existing role assignments referencing role (code: "
                    "RoleDefinitionHasAssignments).",
                )

    def operations(self) -> Sequence[Operation]:
        action = f"{self.type}/read"
        scoped, root = f"/{{+scope}}/providers/{self.type}", f"/providers/{self.type}"
        # What every tenant has may be read by everyone in it.
        return (
            Operation("GET", scoped, action, self._list),
            Operation("GET", scoped + "/{name}", action, self._get),
            Operation("GET", root, "", self._list),
            Operation("GET", root + "/{name}", "", self._get),
        )

    async def _list(self, call: OperationCall) -> Answer:
        terms = _terms(call)
        return Answer(body={"value": [role for role in self._roles(_scope(call)) if _selected(role, terms)]})

    async def _get(self, call: OperationCall) -> Answer:
        name = call.parameters["name"].lower()
        for role in self._roles(_scope(call)):
            if role["name"].lower() == name:
                return Answer(body=role)
        raise ArmError(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{name}' does not exist.",
        )

    def _roles(self, scope: str) -> list[Body]:
        parts = scope.split("/")
        subscription = "/".join(parts[:3]) if parts[1].lower() == "subscriptions" else ""
        custom = [
            found.wire()
            for found in self.services.store.list(type=self.type)
            if any(
                covers(str(each).lower().rstrip("/"), scope.lower())
                or covers(scope.lower().rstrip("/"), str(each).lower())
                for each in found.properties["assignableScopes"]
            )
        ]
        return [*(role.wire(subscription) for role in built_in().values()), *custom]


def _selected(role: Body, terms: Sequence[Term]) -> bool:
    fields = {"rolename": role["properties"]["roleName"], "type": role["properties"]["type"]}
    return all(
        fields[term.field].lower() == term.value.lower()
        for term in terms
        if term.operator == "eq" and term.field in fields
    )


def _same(name: str, properties: Body) -> str:
    value = str(properties.get(name, "")).lower()
    return _role(value) if name == "roleDefinitionId" else value


def _key(scope: str, properties: Body) -> tuple[str, ...]:
    return (scope.lower().rstrip("/"), *(_same(name, properties) for name in _TRIPLE))


def _not_updatable() -> ArmError:
    return bad_request(
        "RoleAssignmentUpdateNotPermitted",
        "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
    )


HANDLERS = (RoleAssignmentHandler, RoleDefinitionHandler)
