"""`Microsoft.CognitiveServices/accounts`: subdomains unique in the cloud, soft delete, keys."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Action, Call, Put
from sandbox.arm.operation import Operation
from sandbox.arm.resource import Body, Resource
from sandbox.azure.account_keys import account_keys
from sandbox.azure.cognitiveservices.deleted_accounts import RETENTION_DAYS, DeletedAccounts, deleted_by_id
from sandbox.azure.cognitiveservices.deployed import ACCOUNTS
from sandbox.azure.cognitiveservices.listings import Listings
from sandbox.azure.private_link import PrivateLinkTarget

_DELETION = ("deletionDate", "scheduledPurgeDate")
#: What ARM itself writes anew.
_STAMPED = ("etag", "systemData")
_COMPUTED = ("internalId", "dateCreated")
_KINDS = ("OpenAI", "AIServices")


class AccountHandler(PrivateLinkTarget):
    type = ACCOUNTS

    def actions(self) -> Mapping[str, Action]:
        return {
            "listKeys": self._list_keys,
            "regenerateKey": self._regenerate_key,
        }

    def operations(self) -> Sequence[Operation]:
        store = self.services.store
        return (*DeletedAccounts(store).operations(), *Listings(store).operations())

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        deleted = deleted_by_id(self.services.store, put.id) if put.previous is None else None
        # A restoration need not say again what the account is.
        known = {**(deleted.body if deleted and properties.get("restore") else {}), **put.body}
        if known.get("kind") not in _KINDS:
            raise bad_request(
                "InvalidApiSetId",
                f"The account type '{known.get('kind')}' is either invalid or unavailable in given "
                f"region. The sandbox has {' and '.join(_KINDS)}.",
                "kind",
            )
        sku = (known.get("sku") or {}).get("name")
        if sku != "S0":
            raise bad_request(
                "InvalidSkuId", f"The account SKU '{sku}' is invalid; this kind has S0.", "sku.name"
            )
        if deleted is not None and not properties.get("restore"):
            raise conflict(
                "FlagMustBeSetForRestore",
                f"An existing resource with ID '{put.id}' has been soft-deleted. To restore the resource, "
                "you must specify 'restore' to be 'true' in the property. If you don't want to restore "
                "existing resource, please purge it first.",
            )
        if put.previous is None and properties.get("restore") and deleted is None:
            raise ArmError(
                404,
                "CanNotRestoreANonExistentResource",
                f"There is no soft-deleted resource with ID '{put.id}' to restore.",
            )
        self._check_subdomain(put, properties)

    def _check_subdomain(self, put: Put, properties: Body) -> None:
        subdomain = str(properties.get("customSubDomainName") or "").lower()
        before = put.previous.properties.get("customSubDomainName") if put.previous else None
        if before and subdomain and subdomain != str(before).lower():
            raise bad_request(
                "CustomSubDomainNameCannotBeChanged",
                f"The custom subdomain name '{before}' of the account cannot be changed.",
                "properties.customSubDomainName",
            )
        if not subdomain:
            return
        others = [*self.services.store.list(type=self.type), *self.services.store.deleted(self.type)]
        for other in others:
            if other.id != put.id and _subdomain(other) == subdomain:
                raise conflict(
                    "CustomDomainInUse",
                    f"Please pick a different name. The subdomain name '{subdomain}' is not available as "
                    "it's already used by a resource.",
                )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        sent = {k: v for k, v in (body.get("properties") or {}).items() if v is not None and k != "restore"}
        before = dict(put.previous.properties) if put.previous else {}
        deleted = deleted_by_id(self.services.store, put.id) if put.previous is None else None
        if deleted is not None:
            before = {k: v for k, v in deleted.properties.items() if k not in _DELETION}
            sent = {**before, **sent}
            body = {**{k: v for k, v in deleted.body.items() if k not in _STAMPED}, **body}
        if "customSubDomainName" not in sent and before.get("customSubDomainName"):
            sent["customSubDomainName"] = before["customSubDomainName"]
        endpoint = self._endpoint(sent.get("customSubDomainName"), str(body.get("location")))
        computed = {key: before[key] for key in _COMPUTED if key in before}
        body["properties"] = {
            "publicNetworkAccess": "Enabled",
            "privateEndpointConnections": [],
            "disableLocalAuth": False,
            **sent,
            "endpoint": endpoint,
            "endpoints": {
                "OpenAI Language Model Instance API": endpoint,
                "OpenAI Dall-E API": endpoint,
                "OpenAI Whisper API": endpoint,
            },
            "capabilities": [{"name": "VirtualNetworks"}, {"name": "CustomerManagedKey"}],
            "callRateLimit": {"rules": []},
            "isMigrated": False,
            "internalId": uuid.uuid4().hex,
            "dateCreated": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            **computed,
        }
        return body

    async def provision(self, resource: Resource) -> None:
        if _subdomain(resource):
            self.services.hosts.publish(self._host(_subdomain(resource)))
        deleted = deleted_by_id(self.services.store, resource.id)
        if deleted is not None:
            self.services.store.purge(deleted)

    async def delete(self, resource: Resource) -> None:
        if deleted_by_id(self.services.store, resource.id) is None:
            self.services.store.keep_deleted(resource, days=RETENTION_DAYS)
        if _subdomain(resource):
            self.services.hosts.withdraw(self._host(_subdomain(resource)))

    async def resume(self, resource: Resource) -> None:
        if _subdomain(resource):
            self.services.hosts.publish(self._host(_subdomain(resource)))

    async def _list_keys(self, call: Call) -> Any:
        if call.resource.properties.get("disableLocalAuth"):
            raise bad_request("BadRequest", "Failed to list key. disableLocalAuth is set to be true")
        keys = account_keys(self.services.config.state)
        return {"key1": keys.get(call.resource, 1), "key2": keys.get(call.resource, 2)}

    async def _regenerate_key(self, call: Call) -> Any:
        name = str(call.body.get("keyName"))
        if name not in ("Key1", "Key2"):
            raise bad_request(
                "InvalidKeyName", f"The key name '{name}' is not one of Key1 and Key2.", "keyName"
            )
        if call.resource.properties.get("disableLocalAuth"):
            raise bad_request("BadRequest", "Failed to regenerate key. disableLocalAuth is set to be true")
        account_keys(self.services.config.state).regenerate(call.resource, int(name[-1]))
        return await self._list_keys(call)

    def _endpoint(self, subdomain: str | None, location: str) -> str:
        if subdomain:
            return f"https://{self._host(subdomain)}/"
        return f"https://{location}.api.cognitive.{self.services.names.suffix}/"

    def _host(self, subdomain: str) -> str:
        return f"{subdomain.lower()}.{self.services.names.service('openai')}"


def _subdomain(account: Resource) -> str:
    return str(account.properties.get("customSubDomainName") or "").lower()
