"""`Microsoft.KeyVault/vaults/keys`: a PUT makes the first version of a key, and changes none that is there.

Azure answers an existing key as it is, whatever the request says; versions and deletions belong to the data
plane.
https://learn.microsoft.com/rest/api/keyvault/keyvault/keys/create-if-not-exist
"""

from __future__ import annotations

import asyncio

from sandbox.arm.errors import ArmError, not_found
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parent
from sandbox.arm.resource import Body, Resource
from sandbox.azure.keyvault import key_wire, wire
from sandbox.azure.keyvault.errors import KeyVaultError
from sandbox.azure.keyvault.key_mirror import arm_body
from sandbox.azure.keyvault.key_store import key_store
from sandbox.services import Services


class KeyHandler(Handler):
    type = "Microsoft.KeyVault/vaults/keys"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._keys = key_store(services.config.state)

    async def fill(self, put: Put) -> Body:
        above = parent(put.id)
        vault = self.services.store.get(above) if above else None
        if vault is None:
            raise not_found(str(above))
        properties = put.body.get("properties") or {}
        try:
            name = wire.check_name(put.id.name)
            if self._keys.exists(vault.id.name, name):
                return arm_body(vault, await asyncio.to_thread(self._keys.get, vault.id.name, name))
            wanted = key_wire.read_wanted(
                properties.get("kty"),
                properties.get("keySize"),
                properties.get("keyOps"),
                {"attributes": properties.get("attributes"), "tags": put.body.get("tags")},
            )
            made = await asyncio.to_thread(self._keys.create, vault.id.name, name, wanted)
        except KeyVaultError as error:
            raise ArmError(error.status, error.code, error.message) from error
        return arm_body(vault, made)

    async def check_delete(self, resource: Resource) -> None:
        raise ArmError(
            405,
            "MethodNotAllowed",
            f"Keys cannot be deleted through Azure Resource Manager; delete '{resource.id.name}' in the data "
            "plane of its vault.",
        )
