"""`Microsoft.KeyVault/vaults/secrets`: every PUT writes a new version through to the data plane.

The control plane never answers a value. Azure has no DELETE here: secrets are deleted in the data plane.
"""

from __future__ import annotations

import asyncio

from sandbox.arm.errors import ArmError, bad_request, not_found
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parent
from sandbox.arm.resource import Body, Resource
from sandbox.azure.keyvault import wire
from sandbox.azure.keyvault.errors import KeyVaultError
from sandbox.azure.keyvault.mirror import arm_body
from sandbox.azure.keyvault.secret_store import secret_store
from sandbox.services import Services


class SecretHandler(Handler):
    type = "Microsoft.KeyVault/vaults/secrets"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._secrets = secret_store(services.config.state)

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        if put.previous is None and properties.get("value") is None:
            raise bad_request("BadRequest", "The parameter value is not specified.", "properties.value")

    async def fill(self, put: Put) -> Body:
        above = parent(put.id)
        vault = self.services.store.get(above) if above else None
        if vault is None:
            raise not_found(str(above))
        properties = put.body.get("properties") or {}
        given = {**properties, "tags": put.body.get("tags")}
        try:
            attributes = wire.read_attributes(given)
            name = wire.check_name(put.id.name)
            if properties.get("value") is None:
                made = await asyncio.to_thread(self._secrets.update, vault.id.name, name, None, attributes)
            else:
                value = wire.read_value(given)
                made = await asyncio.to_thread(self._secrets.set, vault.id.name, name, value, attributes)
        except KeyVaultError as error:
            raise ArmError(error.status, error.code, error.message) from error
        return arm_body(vault, made)

    async def check_delete(self, resource: Resource) -> None:
        raise ArmError(
            405,
            "MethodNotAllowed",
            f"Secrets cannot be deleted through Azure Resource Manager; delete '{resource.id.name}' in the "
            "data plane of its vault.",
        )
