"""What a caller may do at a scope: the permissions of the roles assigned to them there and above.

https://learn.microsoft.com/rest/api/authorization/permissions
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sandbox.arm.handler import Handler
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.rbac import ASSIGNMENT_TYPE, DEFINITION_TYPE, covers
from sandbox.arm.resource import Body
from sandbox.arm.roles import Role, built_in, custom


class PermissionHandler(Handler):
    type = "Microsoft.Authorization/permissions"

    def operations(self) -> Sequence[Operation]:
        return (Operation("GET", f"/{{+scope}}/providers/{self.type}", f"{self.type}/read", self._list),)

    async def _list(self, call: OperationCall) -> Answer:
        scope = f"/{call.parameters['scope'].strip('/')}".lower()
        return Answer(body={"value": [_wire(role) for role in self._roles(call.principal.object_id, scope)]})

    def _roles(self, object_id: str, scope: str) -> Iterator[Role]:
        """One per permission, as roles may have several."""
        for found in self.services.store.list(type=ASSIGNMENT_TYPE):
            assigned = found.id.scope.lower().rstrip("/")
            if str(found.properties["principalId"]).lower() == object_id.lower() and covers(assigned, scope):
                yield from self._definition(str(found.properties["roleDefinitionId"]).rpartition("/")[2])

    def _definition(self, name: str) -> Iterator[Role]:
        role = built_in().get(name.lower())
        if role is not None:
            yield role
            return
        for found in self.services.store.list(type=DEFINITION_TYPE):
            if found.id.name.lower() == name.lower():
                yield from custom(found.id.name, found.properties)


def _wire(role: Role) -> Body:
    return {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": list(role.data_actions),
        "notDataActions": list(role.not_data_actions),
    }


HANDLERS = (PermissionHandler,)
