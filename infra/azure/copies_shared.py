"""The copies of secrets that another stack keeps, read from here: neither changed nor wrapped anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.azure.exposure import Exposure
from infra.azure.own_roles import OwnRole, OwnRoleArgs
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.roles import Grantee, Role, grant


@dataclass(frozen=True)
class SharedCopiesArgs:
    """Ids of the container of copies and its account, of the wrapping key and its vault, and of their group.

    `owner` is this stack's own name for its role there, unique in the tenant.
    """

    account: pulumi.Input[str]
    container: pulumi.Input[str]
    vault: pulumi.Input[str]
    key: pulumi.Input[str]
    group: pulumi.Input[str]
    owner: str
    place: Place
    exposure: Exposure
    readers: Sequence[Grantee]


class SharedCopies(pulumi.ComponentResource):
    """Who of this stack may read and unwrap, and the way there.

    Each of Azure's roles that unwrap wraps too, or reads all keys: so it is a role of our own.
    """

    def __init__(self, name: str, args: SharedCopiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:SharedCopies", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        grant(f"{name}-read", Role.STORAGE_BLOB_DATA_READER, args.readers, args.container, child)
        unwrapper = OwnRole(
            f"{name}-unwrapper",
            OwnRoleArgs(
                title=f"{args.owner} copy unwrapper",
                description="Unwraps data keys of copies, and neither wraps nor reads any key.",
                scope=args.group,
                data_actions=["Microsoft.KeyVault/vaults/keys/unwrap/action"],
            ),
            child,
        )
        unwrapper.grant(f"{name}-unwrap", args.readers, args.key)
        args.exposure.connect(f"{name}-blob", args.place, Service.BLOB, args.account, child)
        args.exposure.connect(f"{name}-vault", args.place, Service.VAULT, args.vault, child)
        self.register_outputs({})
