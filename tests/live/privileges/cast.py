"""Who is in the matrix: every identity of the environment, and two of the test's own.

`operator` has copies of what the stack grants its operators. In the sandbox those are who deploys, and owns
the subscription: nobody could tell from it what the stack's roles give. `nobody` has no role at all.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from tests.live.privileges import database
from tests.live.privileges.assignments import Assignment, create, delete, found
from tests.live.privileges.data_planes import AGENTS
from tests.live.privileges.world import Cast, World, bearer

OPERATOR, NOBODY = "operator", "nobody"
IDENTITIES = (*AGENTS, "migration", "cluster", "kubelet", "topic", "grafana", OPERATOR, NOBODY)
_UNIQUE = uuid.UUID("3c1d6a53-9d2b-4c4f-8f5e-5b7d1a1f2c30")
_VERSION = "2023-01-31"
_GROUPS = "2024-03-01"


async def assemble(world: World) -> list[Assignment]:
    """Fill `world.cast`; the result is all role assignments that are under test."""
    await asyncio.gather(_hosts(world), *(_managed(world, who) for who in IDENTITIES[:8]))
    await _system(
        world,
        "topic",
        world.resource("Microsoft.EventGrid/topics", f"topic-agents-{world.environment}"),
        "2022-06-15",
    )
    await _system(
        world,
        "grafana",
        world.resource("Microsoft.Dashboard/grafana", f"amg-agents-{world.environment}"),
        "2023-09-01",
    )
    await world.arm_done("PUT", _own_group(world), _GROUPS, {"location": "westeurope"})
    await asyncio.gather(*(_own(world, who) for who in (OPERATOR, NOBODY)))
    await database.open_firewall(world)
    deployer = await _deployer(world)
    assigned = await found(world, {cast.object_id: who for who, cast in world.cast.items()} | {deployer: ""})
    operator = world.cast[OPERATOR].object_id
    copies = [
        one.held_by(OPERATOR, operator, str(uuid.uuid5(_UNIQUE, f"{operator}{one.path}")))
        for one in assigned
        if not one.who
    ]
    for one in copies:
        await create(world, one)
    return [*(one for one in assigned if one.who and one.who != OPERATOR), *copies]


async def dismiss(world: World, assignments: list[Assignment]) -> None:
    """Take away what `assemble` made."""
    for one in assignments:
        if one.who == OPERATOR:
            await delete(world, one)
    await database.close_firewall(world)
    await world.arm("DELETE", _own_group(world), _GROUPS)


async def _managed(world: World, who: str) -> None:
    name = f"id-{who}-agents-{world.environment}"
    path = world.resource("Microsoft.ManagedIdentity/userAssignedIdentities", name)
    account = f"{who}-agent" if who in AGENTS else "migration" if who == "migration" else None
    world.cast[who] = _cast(await world.arm_done("GET", path, _VERSION), account)


async def _own(world: World, who: str) -> None:
    path = (
        f"{_own_group(world)}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-{who}-privileges"
    )
    world.cast[who] = _cast(await world.arm_done("PUT", path, _VERSION, {"location": "westeurope"}), None)


def _own_group(world: World) -> str:
    return f"{world.subscription}/resourceGroups/rg-privileges"


def _cast(identity: Any, account: str | None) -> Cast:
    properties = identity["properties"]
    return Cast(properties["principalId"], properties["clientId"], identity["name"], account)


async def _system(world: World, who: str, path: str, version: str) -> None:
    object_id = (await world.arm_done("GET", path, version))["identity"]["principalId"]
    graph = f"https://graph.{world.suffix}"
    answer = await world.http.get(
        f"{graph}/v1.0/servicePrincipals/{object_id}", headers=bearer(await world.deployer(graph))
    )
    assert answer.status_code == 200, answer.text
    world.cast[who] = Cast(object_id, answer.json()["appId"], answer.json()["displayName"])


async def _hosts(world: World) -> None:
    path = world.resource("Microsoft.ContainerService/managedClusters", f"aks-agents-{world.environment}")
    cluster = (await world.arm_done("GET", path, "2024-05-01"))["properties"]
    world.cluster, world.issuer = f"https://{cluster['fqdn']}", cluster["oidcIssuerProfile"]["issuerURL"]
    path = world.resource("Microsoft.EventGrid/topics", f"topic-agents-{world.environment}")
    world.topic = (await world.arm_done("GET", path, "2022-06-15"))["properties"]["endpoint"]


async def _deployer(world: World) -> str:
    graph = f"https://graph.{world.suffix}"
    answer = await world.http.get(
        f"{graph}/v1.0/servicePrincipals(appId='{world.env['AZURE_CLIENT_ID']}')",
        headers=bearer(await world.deployer(graph)),
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])
