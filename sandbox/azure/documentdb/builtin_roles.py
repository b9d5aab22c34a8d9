"""The two data-plane role definitions that every account has.

Source: https://learn.microsoft.com/azure/cosmos-db/nosql/security/reference-data-plane-roles
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource
from sandbox.azure.documentdb import naming

READER = "00000000-0000-0000-0000-000000000001"
CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"
_ACTION = naming.ACCOUNT
_ROLES = {
    READER: (
        "Cosmos DB Built-in Data Reader",
        [
            f"{_ACTION}/readMetadata",
            f"{_ACTION}/sqlDatabases/containers/executeQuery",
            f"{_ACTION}/sqlDatabases/containers/readChangeFeed",
            f"{_ACTION}/sqlDatabases/containers/items/read",
        ],
    ),
    CONTRIBUTOR: (
        "Cosmos DB Built-in Data Contributor",
        [
            f"{_ACTION}/readMetadata",
            f"{_ACTION}/sqlDatabases/containers/*",
            f"{_ACTION}/sqlDatabases/containers/items/*",
        ],
    ),
}


def definitions(account: Resource) -> list[Resource]:
    found = []
    for role, (name, actions) in _ROLES.items():
        id_ = parse_id(f"{account.id}/sqlRoleDefinitions/{role}")
        properties: Body = {
            "roleName": name,
            "type": "BuiltInRole",
            "assignableScopes": [str(account.id)],
            "permissions": [{"dataActions": actions, "notDataActions": []}],
        }
        found.append(Resource(id_, {"properties": properties}, account.created_at, account.created_at))
    return found


def refusal() -> ArmError:
    return ArmError(403, "Forbidden", "Built-in role definitions cannot be changed or deleted.")


def operations(accounts: str) -> Sequence[Operation]:
    """Their deletion, which is refused; going with the account is another matter."""

    async def refuse(_call: OperationCall) -> Answer:
        raise refusal()

    path = f"{accounts}/{{account}}/sqlRoleDefinitions"
    return tuple(
        Operation("DELETE", f"{path}/{role}", f"{naming.ROLE_DEFINITION}/delete", refuse) for role in _ROLES
    )
