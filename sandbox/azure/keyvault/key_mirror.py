"""Shows the data plane's keys as ARM resources (`vaults/keys`), as Azure does; of each its latest version."""

from __future__ import annotations

import time
from typing import Any

from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource, ResourceId
from sandbox.azure.keyvault.key_store import KeyStore, KeyVersion
from sandbox.azure.keyvault.key_wire import attributes_of
from sandbox.azure.keyvault.properties import recovery_level
from sandbox.services import Store


def key_id(vault: Resource, name: str) -> ResourceId:
    return parse_id(f"{vault.id}/keys/{name}")


def arm_body(vault: Resource, version: KeyVersion) -> dict[str, Any]:
    """What ARM answers for a key."""
    uri = f"{str(vault.properties['vaultUri']).rstrip('/')}/keys/{version.name}"
    body: dict[str, Any] = {
        "location": vault.location,
        "properties": {
            "attributes": {
                **attributes_of(version),
                "recoveryLevel": recovery_level(vault),
                "exportable": False,
            },
            "kty": "RSA",
            "keySize": version.wanted.size,
            "keyOps": list(version.wanted.operations),
            "keyUri": uri,
            "keyUriWithVersion": f"{uri}/{version.version}",
        },
    }
    if version.wanted.tags:
        body["tags"] = dict(version.wanted.tags)
    return body


class KeyMirror:
    def __init__(self, store: Store, keys: KeyStore) -> None:
        self._store, self._keys = store, keys

    def show(self, vault: Resource, latest: KeyVersion) -> None:
        now = time.time()
        self._store.save(Resource(key_id(vault, latest.name), arm_body(vault, latest), now, now))

    def hide(self, vault: Resource, name: str) -> None:
        self._store.remove(key_id(vault, name))

    def show_all(self, vault: Resource) -> None:
        """After a vault came back: its keys never left, only their ARM resources did."""
        for latest in self._keys.latest(vault.id.name):
            self.show(vault, latest)
