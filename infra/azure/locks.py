"""Management locks: what holds data can be deleted by nobody, whatever their role, until the lock is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization

from infra.azure.place import Place


@dataclass(frozen=True)
class LocksArgs:
    """What is locked, by a name each, and the components that must be complete before (`after`).

    A lock holds everything below its resource too, role assignments included: with one on an account, an
    agent could no longer be removed. So name the innermost resource that holds the data (a database, a blob
    container): what lies above it cannot be deleted either.
    https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
    """

    place: Place
    targets: Mapping[str, pulumi.Input[str]]
    after: Sequence[pulumi.Resource]


class Locks(pulumi.ComponentResource):
    """One lock per target where the environment is protected, else none.

    They come last, so that no lock is in the way of what an update makes or replaces, and therefore go first.
    """

    def __init__(self, name: str, args: LocksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Locks", name, None, opts)
        for target, scope in args.targets.items() if args.place.protect else ():
            authorization.ManagementLockByScope(
                target,
                lock_name="keep",
                scope=scope,
                level=authorization.LockLevel.CAN_NOT_DELETE,
                notes="Holds data. Set agents:protect to false to take the lock away.",
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.after)),
            )
        self.register_outputs({})
