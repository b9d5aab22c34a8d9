"""The matrix as Markdown: `uv run python -m tests.live.privileges.document > docs/least-privilege.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.live.privileges.cast import IDENTITIES
from tests.live.privileges.copies import COPIES
from tests.live.privileges.data_planes import AGENTS
from tests.live.privileges.grants import ASSIGNMENTS, GRANTS, Grant, alone, expected
from tests.live.privileges.operations import OPERATIONS

COMMAND = "uv run python -m tests.live.privileges.document > docs/least-privilege.md"
#: Agents differ in their queue only: one stands for all, beside one of the others' queues.
_AGENT, _OTHER = AGENTS[:2]
_SHOWN = (_AGENT, *(who for who in IDENTITIES if who not in AGENTS))
_HEAD = f"""# Least privilege

Who may do what in an environment: nothing but this. Written by
`{COMMAND}` from the rows of
`tests/live/privileges/grants.py`; a test says when it is out of date.

`tests/live/test_least_privilege.py` tries every operation as every identity on a running environment (dev, on
the sandbox) and compares the whole table. Then it takes every role assignment away in turn and gives it back:
meanwhile what the second table says goes with it must be refused, and an operation of each other role of the
same identity must not.

- `agent` stands for each of {", ".join(AGENTS)}.
  They sign in as their pods do, with their service account's token, and so does `migration`. The others'
  tokens, which only Azure itself asks for, are minted with the sandbox's key.
- `operator` has copies of what the stack grants its operators. Theirs cannot be measured in the sandbox:
  there they are who deploys, and owns the subscription.
- `nobody` is an identity without any role.
- (by role): the sandbox has no data plane for it; Resource Manager is asked who has the right.
"""


def render() -> str:
    return "\n".join([_HEAD, *_matrix(), "", *_assignments(), "", *_copies(), ""])


def _matrix() -> Iterator[str]:
    yield "## Operations\n"
    shown = ["agent", *_SHOWN[1:]]
    yield f"| Operation | {' | '.join(shown)} |"
    yield f"| --- |{' :-: |' * len(shown)}"
    may = expected()
    for name, operation in OPERATIONS.items():
        title = _titled(name, operation.title)
        if title is not None:
            cells = ("yes" if name in may[who] else "" for who in _SHOWN)
            yield f"| {title} | {' | '.join(cells)} |"


def _titled(name: str, title: str) -> str | None:
    """None for the queues of agents that stand behind the two that are shown."""
    agents = [agent for agent in AGENTS if name.startswith(f"queue.{agent}.")]
    if not agents or agents == [_AGENT]:
        return title.replace(f"Queue `{_AGENT}`", "The agent's own queue")
    return title.replace(f"Queue `{_OTHER}`", "Another agent's queue") if agents == [_OTHER] else None


def _assignments() -> Iterator[str]:
    yield f"""## Role assignments

Each of the {len(ASSIGNMENTS)} gives something that nothing else gives. What a built-in role brings along and
nobody needs is told apart.
"""
    yield "| Who | Role | On | For | Lost without it | Not needed |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for grant in GRANTS:
        if grant.who not in AGENTS[1:] and not (grant.who == "topic" and grant.scope in _queues(AGENTS[1:])):
            yield _row(grant)


def _copies() -> Iterator[str]:
    yield """## Copies and restores

Who copies in `prod-backup` and who brings back in `prod-dr`, from the rows of
`tests/live/privileges/copies.py`. These stacks are not tried: `tests/live/privileges/test_copies.py` holds
the rows against the reviewed resource graphs, in which each role assignment is a row, and against the roles,
all of whose operations a row has. Operations are Azure's, without `Microsoft.`. What else a stamp assigns is
what an environment does, as above, but for its registry, which is prod's, and for what operators may do with
prod's documents already.
"""
    yield "| Stack | Who | Role | On | For | Needed | Not needed |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for stack, grants in COPIES.items():
        for grant in grants:
            scope = " of ".join(f"`{part}`" for part in grant.scope.split(" of "))
            named = (", ".join(map(_operation, names)) for names in (grant.gives, grant.beside))
            cells = (stack, grant.who, grant.role, scope, grant.need, *named)
            yield f"| {' | '.join(cells)} |"


def _operation(name: str) -> str:
    return f"`{name.removeprefix('Microsoft.')}`"


def _queues(agents: tuple[str, ...]) -> set[str]:
    return {f"queues/{agent}" for agent in agents}


def _row(grant: Grant) -> str:
    who = "agent" if grant.who == _AGENT else grant.who
    own = grant.scope == f"queues/{_AGENT}"
    scope = "its own queue" if own and who == "agent" else "each agent's queue" if own else f"`{grant.scope}`"
    cells = (who, grant.role, scope, grant.need, _listed(grant, alone(grant)), _listed(grant, grant.beside))
    return f"| {' | '.join(cells)} |"


def _listed(grant: Grant, names: frozenset[str] | tuple[str, ...]) -> str:
    kept = [name for name in OPERATIONS if name in names]
    return ", ".join(f"`{name.replace(f'queue.{_AGENT}.', 'queue.')}`" for name in kept)


if __name__ == "__main__":
    sys.stdout.write(render())
