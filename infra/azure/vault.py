"""Key Vault: what is still a secret (a third party's key, a webhook) lives here and is read by role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, keyvault

from infra.azure.roles import Grantee, Role, grant
from infra.azure.soft_deleted import is_soft_deleted
from infra.cloud import Cloud

_API_VERSION = "2023-07-01"


@dataclass(frozen=True)
class VaultArgs:
    name: str
    cloud: Cloud
    location: str
    resource_group: pulumi.Input[str]
    readers: Sequence[Grantee]
    officers: Sequence[Grantee]
    soft_delete_days: int
    tags: dict[str, str]


class Vault(pulumi.ComponentResource):
    """An RBAC-only vault. Deleting it is soft; `soft_delete_days` between 7 and 90.

    A vault that was deleted is recovered, as it was: Azure then looks at nothing else that the request says.
    The next update takes the mode back and thereby applies the rest, which is why its change is not ignored.
    """

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Vault", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        path = f"providers/Microsoft.KeyVault/locations/{args.location}/deletedVaults/{args.name}"
        deleted = is_soft_deleted(args.cloud, path, _API_VERSION)
        self.resource = keyvault.Vault(
            name,
            vault_name=args.name,
            resource_group_name=args.resource_group,
            properties=keyvault.VaultPropertiesArgs(
                create_mode=deleted.apply(lambda known: keyvault.CreateMode.RECOVER if known else None),
                tenant_id=authorization.get_client_config_output().tenant_id,
                sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.STANDARD),
                enable_rbac_authorization=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=args.soft_delete_days,
            ),
            tags=args.tags,
            opts=child,
        )
        grant("read", Role.KEY_VAULT_SECRETS_USER, args.readers, self.resource.id, child)
        grant("manage", Role.KEY_VAULT_SECRETS_OFFICER, args.officers, self.resource.id, child)
        self.name = self.resource.name
        self.uri = self.resource.properties.vault_uri
        self.register_outputs({"uri": self.uri})
