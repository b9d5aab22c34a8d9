"""What protects a container's blobs: the policy and the legal holds in force, read from ARM's resources."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.arm.ids import parent
from sandbox.arm.resource import Resource, ResourceId
from sandbox.services import Store

CONTAINER = "Microsoft.Storage/storageAccounts/blobServices/containers"
POLICY = f"{CONTAINER}/immutabilityPolicies"
LOCKED, UNLOCKED = "Locked", "Unlocked"


@dataclass(frozen=True)
class Protection:
    """`days` None is no time-based policy. `appends`: new blocks may be added to append blobs."""

    days: int | None
    locked: bool
    held: bool
    appends: bool

    @property
    def any(self) -> bool:
        return self.days is not None or self.held


def policy_of(store: Store, container: Resource) -> Resource | None:
    return store.get(f"{container.id}/immutabilityPolicies/default")


def protection(store: Store, container: Resource | None) -> Protection:
    if container is None:
        return Protection(None, locked=False, held=False, appends=False)
    policy = policy_of(store, container)
    hold = container.properties.get("legalHold") or {}
    properties = policy.properties if policy is not None else {}
    history = hold.get("protectedAppendWritesHistory") or {}
    by_policy = properties.get("allowProtectedAppendWrites") or properties.get(
        "allowProtectedAppendWritesAll"
    )
    held = bool(hold.get("tags"))
    return Protection(
        days=properties.get("immutabilityPeriodSinceCreationInDays"),
        locked=properties.get("state") == LOCKED,
        held=held,
        appends=bool(history.get("allowProtectedAppendWritesAll")) if held else bool(by_policy),
    )


def container_of(store: Store, policy: ResourceId) -> Resource | None:
    above = parent(policy)
    return store.get(above) if above is not None else None
