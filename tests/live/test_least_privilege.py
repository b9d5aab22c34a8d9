"""Least privilege, proven: every identity tries every operation, and every role assignment goes in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.live.privileges import measure
from tests.live.privileges.cast import IDENTITIES
from tests.live.privileges.grants import ASSIGNMENTS, Grant, alone, expected, watched
from tests.live.privileges.operations import ALLOWED, OPERATIONS, REFUSED
from tests.sandboxed import Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Measured:
    """`before` and `after` frame the taking away; `assigned` and `lost` are by holder, role and scope."""

    before: measure.Table
    after: measure.Table
    assigned: list[tuple[str, str, str]]
    lost: Mapping[tuple[str, str, str], frozenset[str]]


@pytest.fixture(scope="module")
def measured(sandbox: Sandbox) -> Measured:
    return asyncio.run(_measure(sandbox.env))


async def _measure(env: Mapping[str, str]) -> Measured:
    async with measure.running(env) as (world, assignments):
        before = await measure.table(world, IDENTITIES)
        rows = {grant.key: grant for grant in ASSIGNMENTS}
        known = {one: watched(rows[one.key]) for one in assignments if one.key in rows}
        lost = await measure.losses(world, known)
        held = {
            who: {name for one, names in known.items() if one.who == who for name in names}
            for who in IDENTITIES
        }
        after = {who: await measure.column(world, who, held[who]) for who in IDENTITIES}
    keys = [one.key for one in assignments]
    return Measured(before, after, keys, {one.key: gone for one, gone in lost.items()})


def test_everybody_may_do_what_is_needed_and_nothing_else(measured: Measured) -> None:
    may = expected()
    wrong = [
        f"{who:15} {name:28} expected {wanted:3} found {found}"
        for who in IDENTITIES
        for name in OPERATIONS
        if (found := measured.before[who][name]) != (wanted := ALLOWED if name in may[who] else REFUSED)
    ]
    assert not wrong, "\n".join(["the matrix differs:", *wrong])


def test_the_roles_that_were_taken_away_are_all_that_there_are(measured: Measured) -> None:
    assert sorted(measured.assigned) == sorted(grant.key for grant in ASSIGNMENTS)


@pytest.mark.parametrize("grant", ASSIGNMENTS, ids=lambda grant: grant.title)
def test_without_a_role_what_it_alone_gives_is_refused(measured: Measured, grant: Grant) -> None:
    assert sorted(measured.lost[grant.key]) == sorted(alone(grant))


def test_a_role_that_is_given_back_gives_what_it_gave(measured: Measured) -> None:
    missing = {
        who: [name for name, said in row.items() if said != ALLOWED] for who, row in measured.after.items()
    }
    assert not any(missing.values()), missing
