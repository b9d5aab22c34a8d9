"""Whether whoever is signed in may do what a deployment does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.preflight.declared import actions
from infra.preflight.report import Finding, missing, ok
from infra.preflight.subject import Subject

_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments/"
_LOCKS = "Microsoft.Authorization/locks/"
#: Built-in roles that mend what is missing, each the narrowest one.
#: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
_ROLES = {
    "resources": "Contributor",
    "role assignments": "Role Based Access Control Administrator",
    "locks": "Locks Contributor",
}
_NAMED = 3


def rights(subject: Subject) -> Iterator[Finding]:
    """In the stack's group if there is one, else in the subscription: the group is to be made then.

    Conditions on role assignments are not part of Azure's answer.
    https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group
    """
    there = subject.arm.find(subject.group, "2022-09-01")
    scope = subject.group if there is not None else subject.subscription
    permissions = subject.arm.list(f"{scope}/providers/Microsoft.Authorization/permissions", "2022-04-01")
    wanted = _by_kind(actions(subject.stack.settings))
    for kind, needed in wanted.items():
        about = f"rights: {kind}"
        lacking = [action for action in needed if not granted(permissions, action)]
        if not lacking:
            yield ok(about, f"all {len(needed)} actions are granted on {scope}")
            continue
        yield missing(
            about,
            f"{len(lacking)} of {len(needed)} actions are not granted on {scope}: {_some(lacking)}",
            f"az role assignment create --assignee {subject.account.user} "
            f'--role "{_ROLES[kind]}" --scope {scope}',
        )


def granted(permissions: Iterable[Mapping[str, Any]], action: str) -> bool:
    """What one permission excludes, another may still grant."""
    return any(
        _covered(each.get("actions") or (), action) and not _covered(each.get("notActions") or (), action)
        for each in permissions
    )


def _covered(patterns: Iterable[str], action: str) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), action, re.IGNORECASE)
        for pattern in patterns
    )


def _by_kind(wanted: Sequence[str]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {kind: [] for kind in _ROLES}
    for action in wanted:
        kind = "locks" if action.startswith(_LOCKS) else "resources"
        kinds["role assignments" if action.startswith(_ASSIGNMENTS) else kind].append(action)
    return {kind: found for kind, found in kinds.items() if found}


def _some(lacking: Sequence[str]) -> str:
    rest = len(lacking) - _NAMED
    return ", ".join(lacking[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
