"""The data plane of keys: `https://<vault>.vault.<suffix>/keys…`. A key's private part never leaves it.

RSA keys that encrypt and wrap, with versions and soft delete. Signing, import, backup and rotation are not
offered: nothing here uses them, and each is answered as Azure answers what it does not have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.dataplane import host
from sandbox.azure.keyvault import errors, key_wire
from sandbox.azure.keyvault.access import KeyOperation
from sandbox.azure.keyvault.call import Call, Endpoint, page
from sandbox.azure.keyvault.key_mirror import KeyMirror
from sandbox.azure.keyvault.key_store import PADDINGS, KeyStore, KeyVersion
from sandbox.azure.keyvault.key_wire import KeyBundles
from sandbox.azure.keyvault.properties import recovery_level, retention_days
from sandbox.services import Store

#: (vault, name, version, padding, bytes) -> bytes
_Transform = Callable[..., bytes]


class Keys:
    def __init__(self, store: Store, keys: KeyStore) -> None:
        self._keys = keys
        self._mirror = KeyMirror(store, keys)

    def paths(self) -> Mapping[str, Mapping[str, Endpoint]]:
        """By path, the endpoints by method in lower case."""
        one = "/keys/{name}/{version}"
        operations: dict[str, Mapping[str, Endpoint]] = {}
        # Without a version it is the latest one; the SDKs leave it out between two slashes.
        for base in (one, "/keys/{name}/", "/keys/{name}"):
            operations |= {
                f"{base}/encrypt": {"post": self._encrypt},
                f"{base}/decrypt": {"post": self._decrypt},
                f"{base}/wrapkey": {"post": self._wrap},
                f"{base}/unwrapkey": {"post": self._unwrap},
            }
        return {
            "/keys": {"get": self._list},
            "/keys/{name}/create": {"post": self._create},
            "/keys/{name}/versions": {"get": self._list_versions},
            **operations,
            "/keys/{name}": {"get": self._get, "delete": self._delete},
            "/keys/{name}/": {"get": self._get},
            one: {"get": self._get},
            "/deletedkeys": {"get": self._list_deleted},
            "/deletedkeys/{name}": {"get": self._get_deleted, "delete": self._purge},
            "/deletedkeys/{name}/recover": {"post": self._recover},
        }

    async def _create(self, call: Call) -> Any:
        name = call.name()
        call.authorize(KeyOperation.CREATE, name)
        wanted = key_wire.read_wanted(
            call.body.get("kty"), call.body.get("key_size"), call.body.get("key_ops"), call.body
        )
        made = await asyncio.to_thread(self._keys.create, call.key, name, wanted)
        self._mirror.show(call.vault, made)
        return _bundles(call).bundle(made)

    async def _get(self, call: Call) -> Any:
        name = call.name()
        call.authorize(KeyOperation.GET, name)
        return _bundles(call).bundle(await self._find(call, name))

    async def _list(self, call: Call) -> Any:
        call.authorize(KeyOperation.LIST, None)
        return await page(
            call,
            lambda after, limit: self._keys.latest(call.key, after=after, limit=limit),
            lambda version: version.name,
            _bundles(call).item,
        )

    async def _list_versions(self, call: Call) -> Any:
        name = call.name()
        call.authorize(KeyOperation.LIST, name)
        return await page(
            call,
            lambda after, limit: self._keys.versions(call.key, name, after=after, limit=limit),
            lambda version: version.version,
            lambda version: _bundles(call).item(version, versioned=True),
        )

    async def _encrypt(self, call: Call) -> Any:
        return await self._use(call, KeyOperation.ENCRYPT, "encrypt", self._keys.encrypt)

    async def _decrypt(self, call: Call) -> Any:
        return await self._use(call, KeyOperation.DECRYPT, "decrypt", self._keys.decrypt)

    async def _wrap(self, call: Call) -> Any:
        return await self._use(call, KeyOperation.WRAP, "wrapKey", self._keys.encrypt)

    async def _unwrap(self, call: Call) -> Any:
        return await self._use(call, KeyOperation.UNWRAP, "unwrapKey", self._keys.decrypt)

    async def _use(self, call: Call, right: KeyOperation, operation: str, transform: _Transform) -> Any:
        name = call.name()
        call.authorize(right, name)
        algorithm, given = key_wire.read_operation(call.body, tuple(PADDINGS))
        version = await self._find(call, name)
        if not version.wanted.enabled:
            raise errors.disabled(operation, "key")
        if operation not in version.wanted.operations:
            raise errors.operation_forbidden(operation)
        try:
            done = await asyncio.to_thread(
                transform, call.key, name, version.version, PADDINGS[algorithm], given
            )
        except ValueError as error:
            raise errors.bad_parameter(
                f"The parameter is incorrect: {operation} with {algorithm} and this version of the key."
            ) from error
        return {"kid": _bundles(call).kid(version), "value": key_wire.encode(done)}

    async def _delete(self, call: Call) -> Any:
        name = call.name()
        call.authorize(KeyOperation.DELETE, name)
        gone = await asyncio.to_thread(self._keys.delete, call.key, name, days=retention_days(call.vault))
        self._mirror.hide(call.vault, name)
        return _bundles(call).deleted(gone)

    async def _list_deleted(self, call: Call) -> Any:
        call.authorize(KeyOperation.LIST, None)
        return await page(
            call,
            lambda after, limit: self._keys.all_deleted(call.key, after=after, limit=limit),
            lambda deleted: deleted.latest.name,
            lambda deleted: _bundles(call).deleted(deleted, whole=False),
        )

    async def _get_deleted(self, call: Call) -> Any:
        name = call.name()
        call.authorize(KeyOperation.GET, name)
        return _bundles(call).deleted(await asyncio.to_thread(self._keys.deleted, call.key, name))

    async def _recover(self, call: Call) -> Any:
        name = call.name()
        call.authorize(KeyOperation.RECOVER, name)
        back = await asyncio.to_thread(self._keys.recover, call.key, name)
        self._mirror.show(call.vault, back)
        return _bundles(call).bundle(back)

    async def _purge(self, call: Call) -> Any:
        name = call.name()
        call.authorize(KeyOperation.PURGE, name)
        if call.vault.properties.get("enablePurgeProtection"):
            raise errors.purge_protected(call.key, call.vault.location)
        await asyncio.to_thread(self._keys.purge, call.key, name)

    async def _find(self, call: Call, name: str) -> KeyVersion:
        return await asyncio.to_thread(self._keys.get, call.key, name, call.version())


def _bundles(call: Call) -> KeyBundles:
    return KeyBundles(f"https://{host(call.request)}", recovery_level(call.vault), retention_days(call.vault))
