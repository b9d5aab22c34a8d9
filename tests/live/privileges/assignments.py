"""The running stack's role assignments, Resource Manager's and Cosmos DB's: found, deleted, made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.arm.roles import built_in
from tests.live.privileges.world import AUTHORIZATION, World

_ARM, _COSMOS = "2022-04-01", "2024-05-15"
#: Roles that only Cosmos DB knows, by their id.
COSMOS_ROLES = {
    "00000000-0000-0000-0000-000000000002": "Cosmos DB Built-in Data Contributor",
    "8d0f7d3e-2f0a-4b57-9c39-5d1b1a6f0c11": "Agent",
}


@dataclass(frozen=True)
class Assignment:
    """`who` holds `role` on `scope` (the last two parts of its path); `path` and `body` make it again."""

    who: str
    role: str
    scope: str
    path: str
    version: str
    properties: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.who, self.role, self.scope

    @property
    def body(self) -> dict[str, Any]:
        return {"properties": dict(self.properties)}

    def held_by(self, who: str, object_id: str, name: str) -> Assignment:
        """The same for somebody else."""
        properties = dict(self.properties) | {"principalId": object_id}
        if "principalType" in properties:
            properties["principalType"] = "ServicePrincipal"
        path = f"{self.path.rpartition('/')[0]}/{name}"
        return replace(self, who=who, path=path, properties=tuple(properties.items()))


def role_name(definition: str) -> str:
    """The role's name, by its definition's id."""
    guid = definition.rpartition("/")[2]
    return COSMOS_ROLES.get(guid) or built_in()[guid].name


def short(scope: str) -> str:
    """The last two parts: `colls/Events`, `queues/devops`, `vaults/kv-agents-dev`."""
    return "/".join(scope.split("/")[-2:])


def _read(found: Mapping[str, Any], who: str, version: str) -> Assignment:
    properties = found["properties"]
    kept = ("principalId", "principalType", "roleDefinitionId", "scope")
    sent = {name: properties[name] for name in kept if name in properties}
    if version == _ARM:
        # Where it is, is its path.
        sent.pop("scope")
    return Assignment(
        who,
        role_name(properties["roleDefinitionId"]),
        short(properties["scope"]),
        found["id"],
        version,
        tuple(sent.items()),
    )


async def found(world: World, holders: Mapping[str, str]) -> list[Assignment]:
    """Those within the resource group that one of `holders` (object id -> name) has."""
    listed = await world.arm_done("GET", f"{world.group}/providers/{AUTHORIZATION}/roleAssignments", _ARM)
    inside = [
        one
        for one in listed["value"]
        if one["properties"]["scope"].lower().startswith(f"{world.group}/".lower())
    ]
    account = world.resource("Microsoft.DocumentDB/databaseAccounts", world.account)
    data = (await world.arm_done("GET", f"{account}/sqlRoleAssignments", _COSMOS))["value"]
    return [
        _read(one, holders[one["properties"]["principalId"]], version)
        for version, ones in ((_ARM, inside), (_COSMOS, data))
        for one in ones
        if one["properties"]["principalId"] in holders
    ]


async def delete(world: World, assignment: Assignment) -> None:
    await world.arm_done("DELETE", assignment.path, assignment.version)


async def create(world: World, assignment: Assignment) -> None:
    await world.arm_done("PUT", assignment.path, assignment.version, assignment.body)
