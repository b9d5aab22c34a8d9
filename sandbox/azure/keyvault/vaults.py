"""`Microsoft.KeyVault/vaults`: soft delete is always on, purge protection cannot be undone."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Put
from sandbox.arm.operation import Operation
from sandbox.arm.resource import Body, Resource
from sandbox.azure.dataplane import find_deleted
from sandbox.azure.keyvault import naming
from sandbox.azure.keyvault.deleted_vaults import DeletedVaults
from sandbox.azure.keyvault.key_mirror import KeyMirror
from sandbox.azure.keyvault.key_store import key_store
from sandbox.azure.keyvault.mirror import Mirror
from sandbox.azure.keyvault.properties import DEFAULT_RETENTION_DAYS, retention_days
from sandbox.azure.keyvault.secret_store import secret_store
from sandbox.azure.private_link import PrivateLinkTarget
from sandbox.config import TENANT_ID
from sandbox.services import Services

#: Properties that tell when a deleted vault was deleted; a recovered one has them no more.
_DELETION = ("deletionDate", "scheduledPurgeDate")
_DEFAULTS = {
    "enabledForDeployment": False,
    "enableRbacAuthorization": False,
    "publicNetworkAccess": "Enabled",
}


class VaultHandler(PrivateLinkTarget):
    type = naming.TYPE

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._secrets = secret_store(services.config.state)
        self._keys = key_store(services.config.state)

    def operations(self) -> Sequence[Operation]:
        return DeletedVaults(self.services.store, self._secrets, self._keys).operations()

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        recover = properties.get("createMode") == "recover"
        if str(properties.get("tenantId")).lower() != TENANT_ID:
            raise bad_request(
                "BadRequest",
                f"The tenant ID '{properties.get('tenantId')}' of the vault is not the subscription's, "
                f"'{TENANT_ID}'.",
                "properties.tenantId",
            )
        if put.previous is None:
            self._check_name(put, recover=recover)
        self._check_protection(put, properties)
        if not recover:
            _check_policies(properties)

    def _check_name(self, put: Put, *, recover: bool) -> None:
        if (message := naming.invalid(put.id.name)) is not None:
            raise bad_request("VaultNameNotValid", message)
        refusal = naming.taken(self.services.store, put.id.name)
        if not recover:
            if refusal is not None:
                raise refusal
            return
        deleted = self._deleted(put)
        if deleted is None or deleted.id != put.id:
            raise ArmError(
                404,
                "SoftDeletedVaultDoesNotExist",
                "A soft deleted vault with the given name does not exist. Ensure that the name for the "
                "vault that is being attempted to recover is in a recoverable state. For more information "
                "on soft delete please follow this link https://go.microsoft.com/fwlink/?linkid=2149745",
            )
        if put.body.get("location", deleted.location) != deleted.location:
            raise bad_request(
                "BadRequest",
                f"The deleted vault '{put.id.name}' lies in '{deleted.location}'; it can be recovered only "
                "there.",
                "location",
            )

    def _check_protection(self, put: Put, properties: Body) -> None:
        if properties.get("enablePurgeProtection") is False:
            raise bad_request(
                "BadRequest",
                "The property "
                '"enablePurgeProtection" cannot be set to false. Enabling the purge protection for a '
                "vault is an irreversible action.",
                "properties.enablePurgeProtection",
            )
        if properties.get("enableSoftDelete") is False:
            raise bad_request(
                "BadRequest",
                "The property "
                '"enableSoftDelete" cannot be set to false. Enabling the soft delete for a vault is an '
                "irreversible action.",
                "properties.enableSoftDelete",
            )
        days = properties.get("softDeleteRetentionInDays")
        if days is None:
            return
        if not 7 <= days <= 90:
            raise bad_request(
                "BadRequest",
                f"The property \"softDeleteRetentionInDays\" has an invalid value '{days}'. It must be a "
                "number of days from 7 to 90.",
                "properties.softDeleteRetentionInDays",
            )
        if put.previous is not None and retention_days(put.previous) != days:
            raise bad_request(
                "BadRequest",
                'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.',
                "properties.softDeleteRetentionInDays",
            )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        sent = body.setdefault("properties", {})
        recovered = (
            self._deleted(put) if put.previous is None and sent.get("createMode") == "recover" else None
        )
        if recovered is not None:
            # A recovery brings the vault back as it was; what else the request says is not looked at.
            body["properties"] = {k: v for k, v in recovered.properties.items() if k not in _DELETION}
            body["location"] = recovered.location
            body["tags"] = recovered.body.get("tags") or {}
            return body
        if put.previous is None:
            self._secrets.forget(put.id.name)
            self._keys.forget(put.id.name)
        before = put.previous.properties if put.previous else {}
        properties = {
            **_DEFAULTS,
            "softDeleteRetentionInDays": before.get("softDeleteRetentionInDays", DEFAULT_RETENTION_DAYS),
            "accessPolicies": before.get("accessPolicies", []),
            **{key: value for key, value in sent.items() if value is not None},
            "enableSoftDelete": True,
            "vaultUri": f"https://{self._host(put.id.name)}/",
        }
        if before.get("enablePurgeProtection"):
            properties["enablePurgeProtection"] = True
        properties.pop("createMode", None)
        body["properties"] = properties
        return body

    async def provision(self, resource: Resource) -> None:
        self.services.hosts.publish(self._host(resource.id.name))
        deleted = find_deleted(self.services.store, self.type, resource.id.name)
        if deleted is not None and deleted.id == resource.id:
            self.services.store.purge(deleted)
        # After a recovery secrets and keys are there already; a new vault has none.
        Mirror(self.services.store, self._secrets).show_all(resource)
        KeyMirror(self.services.store, self._keys).show_all(resource)

    async def delete(self, resource: Resource) -> None:
        if find_deleted(self.services.store, self.type, resource.id.name) is None:
            self.services.store.keep_deleted(resource, days=retention_days(resource))
        self.services.hosts.withdraw(self._host(resource.id.name))

    async def resume(self, resource: Resource) -> None:
        self.services.hosts.publish(self._host(resource.id.name))

    def _deleted(self, put: Put) -> Resource | None:
        return find_deleted(self.services.store, self.type, put.id.name)

    def _host(self, name: str) -> str:
        return f"{name.lower()}.{self.services.names.service('vault')}"


def _check_policies(properties: Body) -> None:
    if properties.get("accessPolicies") is None and not properties.get("enableRbacAuthorization"):
        raise bad_request(
            "BadRequest", "The parameter accessPolicies is not specified.", "properties.accessPolicies"
        )
