"""`Microsoft.Storage/storageAccounts`: names unique in the cloud, keys, and a server for the data."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.arm.errors import bad_request, conflict
from sandbox.arm.handler import Action, Call, Put
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource
from sandbox.azure.account_keys import account_keys
from sandbox.azure.dataplane import find
from sandbox.azure.private_link import PrivateLinkTarget
from sandbox.azure.storage.azurite import Azurite
from sandbox.azure.storage.contents import holds_blobs
from sandbox.azure.storage.gateway import TYPE
from sandbox.azure.storage.protection import CONTAINER, Protection, protection

_NAME = re.compile(r"[a-z0-9]{3,24}")
_SERVICES = ("blob", "queue")
_KEYS = {"key1": 1, "key2": 2}
_DEFAULTS: Body = {
    "accessTier": "Hot",
    "allowBlobPublicAccess": False,
    "minimumTlsVersion": "TLS1_0",
    "supportsHttpsTrafficOnly": True,
    "networkAcls": {
        "bypass": "AzureServices",
        "virtualNetworkRules": [],
        "ipRules": [],
        "defaultAction": "Allow",
    },
    "publicNetworkAccess": "Enabled",
    "privateEndpointConnections": [],
}


class StorageAccountHandler(PrivateLinkTarget):
    type = TYPE
    long_running = True
    long_running_delete = False
    created_status = 202

    def actions(self) -> Mapping[str, Action]:
        return {"listKeys": self._list_keys, "regenerateKey": self._regenerate_key}

    def operations(self) -> Sequence[Operation]:
        return (
            Operation(
                "POST",
                "/subscriptions/{subscription}/providers/Microsoft.Storage/checkNameAvailability",
                "Microsoft.Storage/checkNameAvailability/read",
                self._check_name,
            ),
        )

    async def check(self, put: Put) -> None:
        if put.body.get("kind") not in (
            "StorageV2",
            "BlobStorage",
            "BlockBlobStorage",
            "Storage",
            "FileStorage",
        ):
            raise bad_request(
                "InvalidRequestPropertyValue", f"The kind '{put.body.get('kind')}' is not valid.", "kind"
            )
        other = find(self.services.store, self.type, put.id.name)
        if put.previous is not None or other is None:
            return
        if other.id.subscription == put.id.subscription:
            raise conflict(
                "StorageAccountInAnotherResourceGroup",
                f"The account {put.id.name} is already in another resource group in this subscription.",
            )
        raise conflict(
            "StorageAccountAlreadyTaken", f"The storage account named {put.id.name} is already taken."
        )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        before = put.previous.properties if put.previous else {}
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        sent = {key: value for key, value in (body.get("properties") or {}).items() if value is not None}
        created = before.get("creationTime", now)
        endpoints = {service: f"https://{self._host(put.id.name, service)}/" for service in _SERVICES}
        body["properties"] = {
            **_DEFAULTS,
            **sent,
            "creationTime": created,
            "keyCreationTime": before.get("keyCreationTime", {"key1": created, "key2": created}),
            "primaryEndpoints": endpoints,
            "primaryLocation": body.get("location"),
            "statusOfPrimary": "available",
            "encryption": sent.get("encryption", _encryption(created)),
        }
        sku = body.setdefault("sku", {"name": "Standard_LRS"})
        sku["tier"] = str(sku.get("name", "")).partition("_")[0]
        return body

    async def provision(self, resource: Resource) -> None:
        await Azurite(self.services, resource).start()
        for service in _SERVICES:
            self.services.hosts.publish(self._host(resource.id.name, service))

    async def check_delete(self, resource: Resource) -> None:
        """Locked policies and legal holds keep the account that holds what they protect."""
        containers = self.services.store.list(type=CONTAINER, under=resource.id.text)
        kept = [
            container.id.name
            for container in containers
            if _keeps(protection(self.services.store, container))
            and await holds_blobs(self.services, container)
        ]
        if kept:
            raise conflict(
                "AccountProtectedFromDeletion",
                f"{resource.id.name} is protected from deletion. The container(s) {', '.join(kept)} have a "
                "locked immutability policy or a legal hold.",
            )

    async def delete(self, resource: Resource) -> None:
        await Azurite(self.services, resource).remove()
        for service in _SERVICES:
            self.services.hosts.withdraw(self._host(resource.id.name, service))

    async def resume(self, resource: Resource) -> None:
        await self.provision(resource)

    async def _list_keys(self, call: Call) -> Any:
        keys = account_keys(self.services.config.state)
        created = call.resource.properties.get("keyCreationTime") or {}
        return {
            "keys": [
                {
                    "keyName": name,
                    "value": keys.get(call.resource, slot),
                    "permissions": "FULL",
                    "creationTime": created.get(name),
                }
                for name, slot in _KEYS.items()
            ]
        }

    async def _regenerate_key(self, call: Call) -> Any:
        name = str(call.body.get("keyName"))
        if name not in _KEYS:
            raise bad_request(
                "InvalidValuesForRequestParameters", f"'{name}' is not one of key1 and key2.", "keyName"
            )
        account_keys(self.services.config.state).regenerate(call.resource, _KEYS[name])
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        call.resource.properties.setdefault("keyCreationTime", {})[name] = now
        self.services.store.save(call.resource)
        await Azurite(self.services, call.resource).start()
        return await self._list_keys(call)

    async def _check_name(self, call: OperationCall) -> Answer:
        name, kind = call.body.get("name"), call.body.get("type", self.type)
        if not isinstance(name, str) or str(kind).lower() != self.type.lower():
            raise bad_request("InvalidRequest", f"Send a name and the type '{self.type}'.")
        if not _NAME.fullmatch(name):
            message = (
                f"{name} is not a valid storage account name. Storage account name must be between 3 and 24 "
                "characters in length and use numbers and lower-case letters only."
            )
            return Answer(body={"nameAvailable": False, "reason": "AccountNameInvalid", "message": message})
        if find(self.services.store, self.type, name) is not None:
            message = f"The storage account named {name} is already taken."
            return Answer(body={"nameAvailable": False, "reason": "AlreadyExists", "message": message})
        return Answer(body={"nameAvailable": True})

    def _host(self, name: str, service: str) -> str:
        return f"{name}.{service}.{self.services.names.service('storage')}"


def _keeps(found: Protection) -> bool:
    return found.locked or found.held


def _encryption(created: str) -> Body:
    enabled = {"keyType": "Account", "enabled": True, "lastEnabledTime": created}
    return {"keySource": "Microsoft.Storage", "services": {"blob": dict(enabled), "file": dict(enabled)}}
