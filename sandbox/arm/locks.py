"""Management locks: what lies at or below a locked scope cannot be deleted, or not even changed."""

from __future__ import annotations

from sandbox.arm.errors import ArmError
from sandbox.arm.rbac import covers
from sandbox.arm.resource import ResourceId
from sandbox.services import Store

LOCK_TYPE = "Microsoft.Authorization/locks"
#: Verb -> lock levels that forbid it.
_FORBIDDEN = {
    "delete": ("cannotdelete", "readonly"),
    "write": ("readonly",),
    "action": ("readonly",),
}


def require_unlocked(store: Store, id: ResourceId, verb: str) -> None:  # noqa: A002
    """Raise ARM's 409 ScopeLocked; deleting is also refused when something below is locked."""
    if id.type.lower() == LOCK_TYPE.lower():
        return
    levels = _FORBIDDEN[verb]
    locked = []
    for lock in store.list(type=LOCK_TYPE):
        scope = lock.id.scope.lower()
        near = covers(scope, id.key) or (verb == "delete" and covers(id.key, scope))
        if near and str(lock.properties.get("level", "")).lower() in levels:
            locked.append(lock.id.scope)
    if locked:
        raise ArmError(
            409,
            "ScopeLocked",
            f"The scope '{id.text}' cannot perform {verb} operation because following scope(s) are locked: "
            f"'{', '.join(sorted(set(locked)))}'. Please remove the lock and try again.",
        )
