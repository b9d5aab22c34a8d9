"""Blob containers and queues made by ARM: real ones, in the account's server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar
from xml.etree.ElementTree import ParseError, fromstring  # what our own server answers

import httpx

from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.storage import immutability
from sandbox.azure.storage.azurite import Azurite
from sandbox.azure.storage.contents import account_of, holds_blobs
from sandbox.azure.storage.protection import CONTAINER, policy_of, protection
from sandbox.azure.storage.views import container_body, container_view, queue_body


class _StoredHandler(Handler):
    """What the two have in common: a PUT and a DELETE at the server behind."""

    service: ClassVar[str]
    query: ClassVar[str]

    async def provision(self, resource: Resource) -> None:
        await self._call(resource, "PUT", accepted=(201, 204, 409))

    async def resume(self, resource: Resource) -> None:
        await self.provision(resource)

    async def delete(self, resource: Resource) -> None:
        account = self._account(resource.id)
        if account is not None and Azurite(self.services, account).ports() is not None:
            await self._call(resource, "DELETE", accepted=(202, 204, 404))

    async def _call(self, resource: Resource, method: str, accepted: tuple[int, ...]) -> None:
        account = self._account(resource.id)
        if account is None:
            raise ArmError(404, "ResourceNotFound", f"There is no storage account for '{resource.id}'.")
        azurite = Azurite(self.services, account)
        try:
            async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
                answer = await azurite.call(client, self.service, method, f"/{resource.id.name}{self.query}")
        except httpx.HTTPError as error:
            raise ArmError(
                503,
                "StorageServerUnavailable",
                f"The storage server of '{account.id.name}' does not answer: {error!r}",
            ) from error
        if answer.status_code not in accepted:
            raise ArmError(answer.status_code, *_error(answer))

    def _account(self, id: ResourceId) -> Resource | None:  # noqa: A002
        return account_of(self.services, id)


class ContainerHandler(_StoredHandler):
    type = CONTAINER
    service = "blob"
    query = "?restype=container"

    async def check(self, put: Put) -> None:
        account = self._account(put.id)
        access = (put.body.get("properties") or {}).get("publicAccess") or "None"
        if account is not None and access != "None" and not account.properties.get("allowBlobPublicAccess"):
            raise conflict(
                "PublicAccessNotPermitted", "Public access is not permitted on this storage account."
            )

    async def fill(self, put: Put) -> Body:
        body = container_body(put.body)
        hold = put.previous.properties.get("legalHold") if put.previous else None
        if hold is not None:
            body["properties"]["legalHold"] = hold
        return body

    async def view(self, resource: Resource) -> Body:
        return container_view(resource, policy_of(self.services.store, resource))

    async def check_delete(self, resource: Resource) -> None:
        found = protection(self.services.store, resource)
        if found.any and await holds_blobs(self.services, resource):
            raise conflict(
                "ContainerOperationFailure",
                f"The container '{resource.id.name}' is protected by an immutability policy or a legal hold, "
                "and can be deleted only when it is empty.",
            )

    async def delete(self, resource: Resource) -> None:
        """Also when its account or group goes: what is held stays, and so does what it lies in."""
        if protection(self.services.store, resource).held and await holds_blobs(self.services, resource):
            raise conflict(
                "AccountProtectedFromDeletion",
                f"The container {resource.id.name} has one or more legal holds and holds blobs.",
            )
        await super().delete(resource)

    def actions(self) -> Mapping[str, Action]:
        return {"setLegalHold": self._set_hold, "clearLegalHold": self._clear_hold}

    async def _set_hold(self, call: Call) -> Any:
        immutability.set_hold(call.resource, call.body, call.principal.object_id)
        return self._held(call.resource)

    async def _clear_hold(self, call: Call) -> Any:
        immutability.clear_hold(call.resource, call.body)
        return self._held(call.resource)

    def _held(self, container: Resource) -> Body:
        container.changed_at = time.time()
        self.services.store.save(container)
        return immutability.hold_answer(container)

    async def provision(self, resource: Resource) -> None:
        await super().provision(resource)
        # Azurite tells public containers by their ACL, which ARM calls publicAccess.
        access = str(resource.properties.get("publicAccess", "None")).lower()
        if access != "none":
            await self._set_access(resource, access)

    async def _set_access(self, resource: Resource, access: str) -> None:
        account = self._account(resource.id)
        if account is None:
            return
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            target = f"/{resource.id.name}?restype=container&comp=acl"
            headers = [("x-ms-blob-public-access", access)]
            answer = await Azurite(self.services, account).call(client, "blob", "PUT", target, headers)
        if answer.is_error:
            raise ArmError(answer.status_code, *_error(answer))


class QueueHandler(_StoredHandler):
    type = "Microsoft.Storage/storageAccounts/queueServices/queues"
    service = "queue"
    query = ""
    created_status = 200
    deleted_status = 204

    async def fill(self, put: Put) -> Body:
        return queue_body(put.body)


def _error(answer: httpx.Response) -> tuple[str, str]:
    """Code and message of Storage's error XML."""
    try:
        root = fromstring(answer.content)  # noqa: S314
        return root.findtext("Code") or "StorageError", (root.findtext("Message") or "").partition("\n")[0]
    except ParseError:
        return "StorageError", answer.text[:200]
