"""What roles the agents of a stack hold, to be compared with another's: a stamp's have no more than their
environment's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drills.stack import Stack
from infra.naming import Names

#: `<agent>: <role> on <type>/<name>`, with the names of the environment that a stack belongs to.
Rights = frozenset[str]


def held(stack: Stack) -> Rights:
    """Raises CommandError."""
    shell, names, source = stack.shell, stack.names, Names(stack.source)
    group = ("-g", names.resource_group)
    holders = {
        str(shell.az("identity", "show", *group, "-n", names.identity(agent))["principalId"]): agent
        for agent in stack.agents()
    }
    account = ("-g", source.resource_group, "-a", source.cosmos)
    documents = shell.az("cosmosdb", "sql", "role", "assignment", "list", *account)
    return frozenset(
        line.replace(f"agents-{stack.name}", f"agents-{stack.source}").replace(names.storage, source.storage)
        for line in (
            *_of(holders, shell.az("role", "assignment", "list", "--all"), "roleDefinitionName"),
            *_of(holders, documents, "roleDefinitionId"),
        )
    )


def _of(holders: Mapping[str, str], assigned: list[dict[str, Any]], role: str) -> list[str]:
    return [
        f"{holders[one['principalId']]}: {one[role].rpartition('/')[2]} on {_short(one['scope'])}"
        for one in assigned
        if one["principalId"] in holders
    ]


def _short(scope: str) -> str:
    """The last two parts: `queues/devops`, `vaults/kv-agents-dev`."""
    return "/".join(scope.rstrip("/").split("/")[-2:])


def more(allowed: Rights, found: Rights) -> list[str]:
    """Those that there were none of, and that there are any."""
    nothing = [] if found else ["no agent holds any role: nothing was looked at"]
    return [
        *nothing,
        *(f"{one}: the environment's agents have no such right" for one in sorted(found - allowed)),
    ]
