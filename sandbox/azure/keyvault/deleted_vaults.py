"""Soft-deleted vaults of a subscription, and whether a vault's name is free."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource
from sandbox.azure.keyvault import naming
from sandbox.azure.keyvault.key_store import KeyStore
from sandbox.azure.keyvault.secret_store import SecretStore
from sandbox.services import Store

_PROVIDER = "/subscriptions/{subscription}/providers/Microsoft.KeyVault"
_DELETED = _PROVIDER + "/locations/{location}/deletedVaults/{name}"


class DeletedVaults:
    def __init__(self, store: Store, secrets: SecretStore, keys: KeyStore) -> None:
        self._store = store
        self._secrets, self._keys = secrets, keys

    def operations(self) -> Sequence[Operation]:
        read = "Microsoft.KeyVault/deletedVaults/read"
        return (
            Operation("GET", f"{_PROVIDER}/deletedVaults", read, self._list),
            Operation("GET", _DELETED, "Microsoft.KeyVault/locations/deletedVaults/read", self._get),
            Operation(
                "POST",
                f"{_DELETED}/purge",
                "Microsoft.KeyVault/locations/deletedVaults/purge/action",
                self._purge,
                long_running=True,
            ),
            Operation(
                "POST",
                f"{_PROVIDER}/checkNameAvailability",
                "Microsoft.KeyVault/checkNameAvailability/read",
                self._check_name,
            ),
            # Managed HSMs are not offered; the CLI lists them beside vaults.
            Operation(
                "GET",
                f"{_PROVIDER}/deletedManagedHSMs",
                "Microsoft.KeyVault/deletedManagedHsms/read",
                self._no_modules,
            ),
        )

    async def _list(self, _call: OperationCall) -> Answer:
        return Answer(body={"value": [_wire(vault) for vault in self._store.deleted(naming.TYPE)]})

    async def _no_modules(self, _call: OperationCall) -> Answer:
        return Answer(body={"value": []})

    async def _get(self, call: OperationCall) -> Answer:
        return Answer(body=_wire(self._find(call)))

    async def _purge(self, call: OperationCall) -> Answer:
        vault = self._find(call)
        if vault.properties.get("enablePurgeProtection"):
            raise ArmError(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.")
        self._secrets.forget(vault.id.name)
        self._keys.forget(vault.id.name)
        self._store.purge(vault)
        return Answer()

    async def _check_name(self, call: OperationCall) -> Answer:
        name, kind = call.body.get("name"), call.body.get("type", naming.TYPE)
        if not isinstance(name, str) or str(kind).lower() != naming.TYPE.lower():
            raise bad_request("BadRequest", f"Send a name and the type '{naming.TYPE}'.")
        if (message := naming.invalid(name)) is not None:
            return Answer(body={"nameAvailable": False, "reason": "AccountNameInvalid", "message": message})
        refusal = naming.taken(self._store, name)
        if refusal is not None:
            return Answer(
                body={"nameAvailable": False, "reason": "AlreadyExists", "message": refusal.message}
            )
        return Answer(body={"nameAvailable": True})

    def _find(self, call: OperationCall) -> Resource:
        name, location = call.parameters["name"], call.parameters["location"]
        for vault in self._store.deleted(naming.TYPE):
            if vault.id.name.lower() == name.lower() and (vault.location or "").lower() == location.lower():
                return vault
        raise ArmError(
            404,
            "DeletedVaultNotFound",
            f"The specified deleted vault '{name}' does not exist in '{location}'.",
        )


def _wire(vault: Resource) -> Body:
    properties: Body = {
        "vaultId": str(vault.id),
        "location": vault.location,
        "tags": vault.body.get("tags") or {},
        "deletionDate": vault.properties["deletionDate"],
        "scheduledPurgeDate": vault.properties["scheduledPurgeDate"],
    }
    if vault.properties.get("enablePurgeProtection"):
        properties["purgeProtectionEnabled"] = True
    base = f"/subscriptions/{vault.id.subscription}/providers/Microsoft.KeyVault/locations/{vault.location}"
    return {
        "id": f"{base}/deletedVaults/{vault.id.name}",
        "name": vault.id.name,
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": properties,
    }
