"""Key Vault: what is still a secret (a third party's key, a webhook) lives here and is read by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, keyvault
from pydantic import SecretStr

from infra.azure.diagnostics import diagnose
from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.roles import Grantee, Role, grant
from infra.azure.soft_deleted import is_soft_deleted
from infra.settings.sections import VaultSettings

_API_VERSION = "2023-07-01"


@dataclass(frozen=True)
class VaultArgs:
    """`secrets` by their name in the vault; None is one that the stack does not set."""

    name: str
    place: Place
    settings: VaultSettings
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    readers: Sequence[Grantee]
    officers: Sequence[Grantee]
    secrets: Mapping[str, SecretStr | None]


class Vault(pulumi.ComponentResource):
    """An RBAC-only vault. Deleting it is soft. `sets` names the secrets that the stack sets in it.

    A vault that was deleted is recovered, as it was: Azure then looks at nothing else that the request says.
    The next update takes the mode back and thereby applies the rest, which is why its change is not ignored.
    """

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Vault", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        self.resource = self._vault(name)
        for key, value in args.secrets.items():
            if value is not None:
                self._secret(key, value)
        self.sets = [key for key, value in args.secrets.items() if value is not None]
        grant("read", Role.KEY_VAULT_SECRETS_USER, args.readers, self.resource.id, child)
        grant("manage", Role.KEY_VAULT_SECRETS_OFFICER, args.officers, self.resource.id, child)
        args.exposure.connect(name, args.place, Service.VAULT, self.resource.id, child)
        diagnose(name, self.resource.id, args.workspace_id, child)
        self.name = self.resource.name
        self.uri = self.resource.properties.vault_uri
        self.register_outputs({"uri": self.uri})

    def _vault(self, name: str) -> keyvault.Vault:
        args, place = self._args, self._args.place
        path = f"providers/Microsoft.KeyVault/locations/{place.location}/deletedVaults/{args.name}"
        deleted = is_soft_deleted(place.cloud, path, _API_VERSION)
        return keyvault.Vault(
            name,
            vault_name=args.name,
            resource_group_name=place.resource_group,
            location=place.location,
            properties=keyvault.VaultPropertiesArgs(
                create_mode=deleted.apply(lambda known: keyvault.CreateMode.RECOVER if known else None),
                tenant_id=authorization.get_client_config_output().tenant_id,
                sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.STANDARD),
                enable_rbac_authorization=True,
                enable_soft_delete=True,
                # Azure does not take False: what was on stays on.
                enable_purge_protection=args.settings.purge_protection or None,
                soft_delete_retention_in_days=args.settings.soft_delete_days,
                public_network_access=args.exposure.public_network_access,
                network_acls=keyvault.NetworkRuleSetArgs(
                    bypass=keyvault.NetworkRuleBypassOptions.AZURE_SERVICES,
                    default_action=args.exposure.default_action,
                    ip_rules=[keyvault.IPRuleArgs(value=one) for one in args.exposure.addresses],
                ),
            ),
            tags=place.tags,
            opts=place.stateful(self),
        )

    def _secret(self, name: str, value: SecretStr) -> None:
        """Written by Resource Manager, which needs no way into the vault's network.

        It stays when its setting goes: a deleted secret's name is taken for days, also after the vault itself
        was deleted and recovered. Nothing reads it then; who gave the URL out revokes it.
        """
        keyvault.Secret(
            name,
            secret_name=name,
            vault_name=self.resource.name,
            resource_group_name=self._args.place.resource_group,
            properties=keyvault.SecretPropertiesArgs(value=pulumi.Output.secret(value.get_secret_value())),
            opts=pulumi.ResourceOptions(
                parent=self, additional_secret_outputs=["properties"], retain_on_delete=True
            ),
        )
