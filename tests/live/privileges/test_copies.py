"""The table of who copies and restores, against the reviewed graphs: the rows are the role assignments, and a
row says all that its role gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource
from sandbox.arm.roles import Role, built_in, custom
from sandbox.azure.documentdb.builtin_roles import definitions
from tests.live.privileges.assignments import COSMOS_ROLES, short
from tests.live.privileges.cast import OPERATOR
from tests.live.privileges.copies import COPIES
from tests.live.privileges.grants import ASSIGNMENTS, Grant

GRAPHS = Path(__file__).parents[2] / "infra" / "graph"
DEPLOYER = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{DEPLOYER}/resourceGroups/rg-agents-prod"
STACKS = pytest.mark.parametrize("stack", COPIES)
ROWS = [
    pytest.param(stack, grant, id=f"{stack} {grant.title}") for stack in COPIES for grant in COPIES[stack]
]
KINDS = ("authorization:RoleAssignment", "cosmosdb:SqlResourceSqlRoleAssignment")


@cache
def inputs(stack: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Type and inputs of what the graph holds."""
    graph = yaml.load((GRAPHS / f"{stack}.yaml").read_text(), Loader=yaml.CSafeLoader)
    kinds = ((path.rpartition(" / ")[2].partition(" ")[0], found) for path, found in graph.items())
    return [(kind.removeprefix("azure-native:"), found.get("inputs") or {}) for kind, found in kinds]


@cache
def roles(stack: str) -> dict[str, Role]:
    """By GUID: Azure's, Cosmos DB's, and the stack's own, whose names go without the group's."""
    account = parse_id(f"{GROUP}/providers/Microsoft.DocumentDB/databaseAccounts/any")
    data = [(one.id.name, one.properties) for one in definitions(Resource(account, {}, 0, 0))]
    own = [
        (found["roleDefinitionId"], {**found, "roleName": re.sub(r"^rg-agents-\S+ ", "", found["roleName"])})
        for kind, found in inputs(stack)
        if kind == "authorization:RoleDefinition"
    ]
    return {**built_in(), **{guid: role for guid, told in (*data, *own) for role in custom(guid, told)}}


def operations(stack: str, title: str) -> frozenset[str]:
    (role,) = [one for one in roles(stack).values() if one.name == title]
    # What a role takes away no row could say.
    assert not (*role.not_actions, *role.not_data_actions)
    return frozenset((*role.actions, *role.data_actions))


def scope(text: str) -> str:
    """As in rows; of a container that several accounts have, with its account."""
    account = re.search(r"/storageAccounts/(\w+)/blobServices/", text)
    return f"{short(text)} of {account[1]}" if account else short(text)


def assigned(stack: str) -> Iterator[tuple[str, str, str]]:
    """Holder, role and scope."""
    for kind, found in inputs(stack):
        if kind in KINDS:
            who = found["principalId"].removeprefix("made-up-").replace("events", "topic")
            guid = found["roleDefinitionId"].rpartition("/")[2]
            role = COSMOS_ROLES.get(guid) or roles(stack)[guid].name
            yield OPERATOR if who == DEPLOYER else who, role, scope(found["scope"])


def environments(stack: str) -> set[tuple[str, str, str]]:
    """The environment's rows, with the stack's names."""
    short_name = stack.replace("-", "")

    def named(text: str) -> str:
        if text == "containers/dead-letters":
            return f"{text} of stagents{short_name}"
        return text.replace("agents-dev", f"agents-{stack}").replace("agentsdev", f"agents{short_name}")

    return {(grant.who, grant.role, named(grant.scope)) for grant in ASSIGNMENTS}


def test_the_rows_of_a_backup_are_its_assignments() -> None:
    assert sorted(assigned("prod-backup")) == sorted(grant.key for grant in COPIES["prod-backup"])


def test_a_stamp_assigns_what_an_environment_does_and_its_rows() -> None:
    """But where it has no service of its own: registry, and the operators' way to prod's data."""
    rows, alike = sorted(grant.key for grant in COPIES["prod-dr"]), environments("prod-dr")
    found = sorted(assigned("prod-dr"))
    assert [one for one in found if one not in alike] == rows
    assert len(found) == len(set(found))
    assert alike - set(found) == {
        ("kubelet", "AcrPull", "registries/acragentsproddr"),
        (OPERATOR, "AcrPush", "registries/acragentsproddr"),
        (OPERATOR, "Cosmos DB Built-in Data Contributor", "dbs/AgentsDB"),
    }


@pytest.mark.parametrize(("stack", "grant"), ROWS)
def test_a_row_says_all_that_its_role_gives(stack: str, grant: Grant) -> None:
    assert grant.operations == operations(stack, grant.role)
    assert not set(grant.gives) & set(grant.beside)


@pytest.mark.parametrize(("stack", "grant"), ROWS)
def test_an_assignment_gives_what_nothing_else_does(stack: str, grant: Grant) -> None:
    others = {
        operation
        for other in COPIES[stack]
        if other.who == grant.who and other is not grant and other.scope == grant.scope
        for operation in other.operations
    }
    assert set(grant.gives) - others


@STACKS
def test_no_copy_can_be_overwritten_or_deleted(stack: str) -> None:
    held = {operation for grant in COPIES[stack] for operation in grant.operations}
    assert not [one for one in held if re.search(r"blobs/(write|delete|\*)|/keys/(\*|delete)", one)]


def test_who_restores_makes_no_copies() -> None:
    """Whoever gets into a stamp cannot pass something off as a copy of prod's."""
    held = {operation for grant in COPIES["prod-dr"] for operation in grant.operations}
    assert not [one for one in held if one.endswith(("blobs/add/action", "keys/wrap/action"))]
