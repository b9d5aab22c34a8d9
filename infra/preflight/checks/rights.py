"""Whether whoever is signed in may do what a deployment does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.naming import Names
from infra.preflight import outside
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
    # A right that no narrower built-in role has.
    "role definitions": "User Access Administrator",
    "restores": "CosmosRestoreOperator",
    "backups": "Reader",
}
_BEGINNINGS = {
    "locks": _LOCKS,
    "role assignments": _ASSIGNMENTS,
    "role definitions": "Microsoft.Authorization/roleDefinitions/",
    "restores": f"{outside.RESTORABLE}/",
}
_NAMED = 3


def rights(subject: Subject) -> Iterator[Finding]:
    """In the stack's group if there is one, else in the subscription: the group is to be made then. Likewise
    in the group of the environment that it belongs to, and of its copies; and in the subscription, where
    backups are.

    Conditions on role assignments are not part of Azure's answer.
    https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group
    """
    settings = subject.stack.settings
    yield from _looked_at(subject, _scope(subject, subject.group), _by_kind(actions(settings)), "rights")
    for stack, wanted in (
        (settings.source, outside.in_source(settings)),
        (f"{settings.source}-backup", outside.in_backup(settings)),
    ):
        if wanted:
            group = Names(stack or "", settings.suffix).resource_group
            scope = _scope(subject, f"{subject.subscription}/resourceGroups/{group}")
            yield from _looked_at(subject, scope, _by_kind(wanted), f"rights in {stack}")
    restoring = _by_kind(outside.in_subscription(settings), rest="backups")
    yield from _looked_at(subject, subject.subscription, restoring, "rights")


def _scope(subject: Subject, group: str) -> str:
    return group if subject.arm.find(group, "2022-09-01") is not None else subject.subscription


def _looked_at(
    subject: Subject, scope: str, wanted: Mapping[str, Sequence[str]], title: str
) -> Iterator[Finding]:
    if not wanted:
        return
    permissions = subject.arm.list(f"{scope}/providers/Microsoft.Authorization/permissions", "2022-04-01")
    for kind, needed in wanted.items():
        about = f"{title}: {kind}"
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


def _by_kind(wanted: Sequence[str], rest: str = "resources") -> dict[str, list[str]]:
    """`rest` is the kind of what no other kind's actions begin with."""
    kinds: dict[str, list[str]] = {kind: [] for kind in _ROLES}
    for action in wanted:
        found = (kind for kind, beginning in _BEGINNINGS.items() if action.startswith(beginning))
        kinds[next(found, rest)].append(action)
    return {kind: found for kind, found in kinds.items() if found}


def _some(lacking: Sequence[str]) -> str:
    rest = len(lacking) - _NAMED
    return ", ".join(lacking[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
