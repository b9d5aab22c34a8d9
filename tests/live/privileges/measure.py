"""Measured tables: who may do what, now."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import httpx

from tests.live.privileges import control_planes, data_planes, database  # noqa: F401  (they register)
from tests.live.privileges.assignments import Assignment, create, delete
from tests.live.privileges.cast import assemble, dismiss
from tests.live.privileges.operations import ALLOWED, OPERATIONS, REFUSED
from tests.live.privileges.world import World

#: Requests at a time; more only wait for the machine's few cores.
_ABREAST = 8
#: identity -> operation -> verdict
Table = Mapping[str, Mapping[str, str]]


@asynccontextmanager
async def running(env: Mapping[str, str]) -> AsyncIterator[tuple[World, list[Assignment]]]:
    """The environment with everybody in it, and the assignments under test."""
    context = ssl.create_default_context(cafile=env["SSL_CERT_FILE"])
    async with httpx.AsyncClient(verify=context, timeout=60, trust_env=False) as http:
        world = World(env, http)
        assignments: list[Assignment] = []
        try:
            assignments = await assemble(world)
            yield world, assignments
        finally:
            await dismiss(world, assignments)


async def table(world: World, identities: Iterable[str]) -> Table:
    """The whole matrix."""
    return {who: await column(world, who, OPERATIONS) for who in identities}


async def column(
    world: World, who: str, operations: Iterable[str], gate: asyncio.Semaphore | None = None
) -> Mapping[str, str]:
    """What one identity may do of `operations`."""
    own = gate or asyncio.Semaphore(_ABREAST)

    async def ask(name: str) -> str:
        async with own:
            return await OPERATIONS[name].ask(world, who)

    names = list(operations)
    return dict(zip(names, await asyncio.gather(*map(ask, names)), strict=True))


async def lost(
    world: World, assignment: Assignment, watched: Iterable[str], gate: asyncio.Semaphore
) -> frozenset[str]:
    """What of `watched`, which its holder may do, is refused while the assignment is gone."""
    await delete(world, assignment)
    try:
        found = await column(world, assignment.who, watched, gate)
    finally:
        await create(world, assignment)
    strange = {name: said for name, said in found.items() if said not in (ALLOWED, REFUSED)}
    assert not strange, (assignment.key, strange)
    return frozenset(name for name, said in found.items() if said == REFUSED)


async def losses(
    world: World, watched: Mapping[Assignment, Iterable[str]]
) -> dict[Assignment, frozenset[str]]:
    """Each assignment is taken away in turn and given back; holders wait for nobody but themselves."""
    gate = asyncio.Semaphore(_ABREAST)
    by_holder: dict[str, list[Assignment]] = {}
    for one in watched:
        by_holder.setdefault(one.who, []).append(one)

    async def in_turn(held: list[Assignment]) -> list[tuple[Assignment, frozenset[str]]]:
        return [(one, await lost(world, one, watched[one], gate)) for one in held]

    done = await asyncio.gather(*map(in_turn, by_holder.values()))
    return {one: gone for held in done for one, gone in held}
