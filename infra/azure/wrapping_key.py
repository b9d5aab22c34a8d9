"""The key that copies of secrets are encrypted with, in a vault of the backup: it outlives the source's.

It wraps a data key for each copy, and never leaves the vault. docs/adr/0015-copies-of-secrets.md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import keyvault

from infra.azure.place import Place
from infra.azure.roles import Grantee, Role, grant
from infra.azure.vault import Vault
from infra.naming import COPIES_KEY


@dataclass(frozen=True)
class WrappingKeyArgs:
    """`users` may wrap and unwrap with it."""

    place: Place
    vault: Vault
    users: Sequence[Grantee]


class WrappingKey(pulumi.ComponentResource):
    """`uri` names the key, not one of its versions: a copy says itself which version wrapped it."""

    def __init__(self, name: str, args: WrappingKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:WrappingKey", name, None, opts)
        key = keyvault.Key(
            name,
            key_name=COPIES_KEY,
            vault_name=args.vault.name,
            resource_group_name=args.place.resource_group,
            properties=keyvault.KeyPropertiesArgs(
                kty=keyvault.JsonWebKeyType.RSA,
                key_size=3072,
                key_ops=[keyvault.JsonWebKeyOperation.WRAP_KEY, keyvault.JsonWebKeyOperation.UNWRAP_KEY],
                attributes=keyvault.KeyAttributesArgs(enabled=True, exportable=False),
            ),
            tags=args.place.tags,
            opts=args.place.stateful(self),
        )
        grant(
            "wrap",
            Role.KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER,
            args.users,
            key.id,
            pulumi.ResourceOptions(parent=self),
        )
        self.uri = pulumi.Output.concat(args.vault.uri, "keys/", key.name)
        self.register_outputs({"uri": self.uri})
