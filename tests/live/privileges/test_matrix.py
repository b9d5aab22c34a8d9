"""The expected matrix against the program: every role assignment has a row, and every row is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.privileges import document
from tests.live.privileges.assignments import role_name, short
from tests.live.privileges.cast import IDENTITIES, OPERATOR
from tests.live.privileges.data_planes import AGENTS
from tests.live.privileges.grants import ASSIGNMENTS, GRANTS, Grant, alone, expected
from tests.live.privileges.operations import OPERATIONS

ROOT = Path(__file__).parents[3]
KINDS = ("authorization:RoleAssignment", "cosmosdb:SqlResourceSqlRoleAssignment")


def declared(stack: str) -> Iterator[tuple[str, str, str]]:
    """Holder, role and scope of every role assignment in the stack's graph, with dev's names."""
    graph: dict[str, Any] = yaml.load(
        (ROOT / "tests" / "infra" / "graph" / f"{stack}.yaml").read_text(), Loader=yaml.CSafeLoader
    )
    for path, found in graph.items():
        if any(f"azure-native:{kind} " in path.rpartition(" / ")[2] for kind in KINDS):
            inputs = found["inputs"]
            who = inputs["principalId"].removeprefix("made-up-").replace("events", "topic")
            scope = re.sub(rf"agents(-?){stack}", r"agents\1dev", short(inputs["scope"]))
            yield who if who in IDENTITIES else OPERATOR, role_name(inputs["roleDefinitionId"]), scope


def test_the_rows_are_the_assignments_of_dev() -> None:
    found = sorted(declared("dev"))
    assert found == sorted(grant.key for grant in ASSIGNMENTS)


def test_prod_assigns_the_same_and_the_second_region() -> None:
    known = {grant.key for grant in ASSIGNMENTS}
    more = {scope for who, role, scope in declared("prod") if (who, role, scope) not in known}
    assert known <= set(declared("prod"))
    assert more == {"accounts/oai-agents-dev-backup"}


@pytest.mark.parametrize("grant", ASSIGNMENTS, ids=lambda grant: grant.title)
def test_an_assignment_gives_what_nothing_else_does(grant: Grant) -> None:
    assert alone(grant) & set(grant.gives)


def test_rows_name_operations_that_there_are() -> None:
    assert {name for grant in GRANTS for name in grant.operations} <= set(OPERATIONS)


def test_agents_may_do_the_same_each_on_its_own_queue() -> None:
    may = expected()
    for agent in AGENTS:
        renamed = {name.replace(f"queue.{agent}.", "queue.own.") for name in may[agent]}
        assert renamed == {name.replace(f"queue.{AGENTS[0]}.", "queue.own.") for name in may[AGENTS[0]]}


def test_the_document_is_current() -> None:
    assert (ROOT / "docs" / "least-privilege.md").read_text() == document.render(), document.COMMAND
