"""Shows the data plane's secrets as ARM resources (`vaults/secrets`), as Azure does; never their values."""

from __future__ import annotations

import time
from typing import Any

from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource, ResourceId
from sandbox.azure.keyvault.secret_store import SecretStore, Version
from sandbox.services import Store


def secret_id(vault: Resource, name: str) -> ResourceId:
    return parse_id(f"{vault.id}/secrets/{name}")


def arm_body(vault: Resource, version: Version) -> dict[str, Any]:
    """What ARM answers for a secret."""
    attributes = {
        "enabled": version.enabled,
        "nbf": version.nbf,
        "exp": version.exp,
        "created": version.created,
        "updated": version.updated,
    }
    uri = f"{str(vault.properties['vaultUri']).rstrip('/')}/secrets/{version.name}"
    properties: dict[str, Any] = {
        "attributes": {key: value for key, value in attributes.items() if value is not None},
        "secretUri": uri,
        "secretUriWithVersion": f"{uri}/{version.version}",
    }
    if version.content_type is not None:
        properties["contentType"] = version.content_type
    body: dict[str, Any] = {"location": vault.location, "properties": properties}
    if version.tags:
        body["tags"] = dict(version.tags)
    return body


class Mirror:
    def __init__(self, store: Store, secrets: SecretStore) -> None:
        self._store = store
        self._secrets = secrets

    def show(self, vault: Resource, latest: Version) -> None:
        now = time.time()
        self._store.save(Resource(secret_id(vault, latest.name), arm_body(vault, latest), now, now))

    def hide(self, vault: Resource, name: str) -> None:
        self._store.remove(secret_id(vault, name))

    def show_all(self, vault: Resource) -> None:
        """After a vault came back: its secrets never left, only their ARM resources did."""
        for latest in self._secrets.latest(vault.id.name):
            self.show(vault, latest)
