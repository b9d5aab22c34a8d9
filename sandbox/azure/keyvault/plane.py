"""The data plane: `https://<vault>.vault.<suffix>/secrets…`, api-versions 7.x and the dated ones after them.

Keys are served by `keys.py`, behind the same door.

Each request is authenticated before anything else is looked at (clients send the first one without body or
token, to be challenged), then authorized for its operation. What changes the set of secrets is mirrored into
the ARM resources below the vault, as both planes show the same secrets.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.arm.resource import Resource
from sandbox.azure.dataplane import find, host, json_object
from sandbox.azure.keyvault import errors, failover, firewall, wire
from sandbox.azure.keyvault.access import Access, Operation
from sandbox.azure.keyvault.call import Call, Endpoint, page
from sandbox.azure.keyvault.key_store import KeyStore
from sandbox.azure.keyvault.keys import Keys
from sandbox.azure.keyvault.mirror import Mirror
from sandbox.azure.keyvault.properties import recovery_level, retention_days
from sandbox.azure.keyvault.secret_store import SecretStore
from sandbox.azure.sealing import TamperedError
from sandbox.services import Services

_log = logging.getLogger(__name__)


async def _refuse(request: Request, error: Exception) -> Response:
    """Methods that HTTP has but no operation."""
    if not isinstance(error, HTTPException):
        raise error
    refusal = errors.KeyVaultError(
        error.status_code, "MethodNotAllowed", f"{request.method} is not served at {request.url.path}."
    )
    return JSONResponse(refusal.body(), refusal.status)


class SecretsPlane:
    def __init__(self, services: Services, secrets: SecretStore, keys: KeyStore) -> None:
        self._services = services
        self._secrets = secrets
        self._access = Access(services)
        self._mirror = Mirror(services.store, secrets)
        self._keys = Keys(services.store, keys)

    def app(self) -> Starlette:
        def route(path: str, **methods: Endpoint) -> Route:
            async def endpoint(request: Request) -> Response:
                return await self._answer(request, methods)

            return Route(path, endpoint, methods=["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS"])

        return Starlette(
            routes=[
                route("/secrets", get=self.list),
                route("/secrets/restore", post=self.restore),
                route("/secrets/{name}", put=self.set, get=self.get, delete=self.delete, patch=self.update),
                route("/secrets/{name}/", get=self.get, patch=self.update),
                route("/secrets/{name}/versions", get=self.list_versions),
                route("/secrets/{name}/backup", post=self.backup),
                route("/secrets/{name}/{version}", get=self.get, patch=self.update),
                route("/deletedsecrets", get=self.list_deleted),
                route("/deletedsecrets/{name}", get=self.get_deleted, delete=self.purge),
                route("/deletedsecrets/{name}/recover", post=self.recover),
                *(route(path, **methods) for path, methods in self._keys.paths().items()),
                route("/{path:path}"),
            ],
            exception_handlers={HTTPException: _refuse},
        )

    async def _answer(self, request: Request, methods: Mapping[str, Endpoint]) -> Response:
        headers = {"x-ms-request-id": str(uuid.uuid4()), "x-ms-keyvault-service-version": "1.9.2500.1"}
        try:
            result = await self._run(request, methods)
        except errors.KeyVaultError as error:
            return JSONResponse(error.body(), error.status, {**headers, **error.headers})
        headers["Cache-Control"] = "no-cache"
        return (
            Response(status_code=204, headers=headers)
            if result is None
            else JSONResponse(result, 200, headers)
        )

    async def _run(self, request: Request, methods: Mapping[str, Endpoint]) -> Any:
        principal = self._access.authenticate(request)
        vault = find(self._services.store, "Microsoft.KeyVault/vaults", host(request).partition(".")[0])
        if vault is None:
            raise errors.KeyVaultError(404, "VaultNotFound", f"There is no vault at {host(request)}.")
        firewall.require(self._services, vault, principal, request)
        wire.check_api_version(request.query_params)
        if not methods:
            raise errors.KeyVaultError(404, "NotFound", f"Key Vault serves nothing at {request.url.path}.")
        endpoint = methods.get(request.method.lower())
        if endpoint is None:
            raise errors.KeyVaultError(
                405, "MethodNotAllowed", f"{request.method} is not served at {request.url.path}."
            )
        failover.require_served(self._services.regions, vault, request)
        try:
            body = await json_object(request)
        except ValueError as error:
            raise errors.bad_parameter(f"The request body is not valid JSON: {error}") from error
        days = retention_days(vault)
        bundles = wire.Bundles(f"https://{host(request)}", recovery_level(vault), days)
        call = Call(
            request, vault, body, bundles, lambda op, name: self._access.authorize(principal, vault, op, name)
        )
        return await endpoint(call)

    async def set(self, call: Call) -> Any:
        name = call.name()
        call.authorize(Operation.SET, name)
        value, attributes = wire.read_value(call.body), wire.read_attributes(call.body)
        made = await asyncio.to_thread(self._secrets.set, call.key, name, value, attributes)
        self._mirror.show(call.vault, made)
        return call.bundles.bundle(made)

    async def get(self, call: Call) -> Any:
        name = call.name()
        call.authorize(Operation.GET, name)
        found = await asyncio.to_thread(self._secrets.get, call.key, name, call.version())
        # Only `enabled` closes a secret. Azure answers not yet valid and expired ones: nbf and exp inform.
        if not found.enabled:
            raise errors.disabled("get")
        return call.bundles.bundle(found)

    async def update(self, call: Call) -> Any:
        name = call.name()
        call.authorize(Operation.UPDATE, name)
        attributes = wire.read_attributes(call.body)
        made = await asyncio.to_thread(self._secrets.update, call.key, name, call.version(), attributes)
        self._mirror.show(call.vault, await asyncio.to_thread(self._secrets.get, call.key, name))
        return call.bundles.bundle(made, value=False)

    async def list(self, call: Call) -> Any:
        call.authorize(Operation.LIST, None)
        return await page(
            call,
            lambda after, limit: self._secrets.latest(call.key, after=after, limit=limit),
            lambda version: version.name,
            call.bundles.item,
        )

    async def list_versions(self, call: Call) -> Any:
        name = call.name()
        call.authorize(Operation.LIST, name)
        return await page(
            call,
            lambda after, limit: self._secrets.versions(call.key, name, after=after, limit=limit),
            lambda version: version.version,
            lambda version: call.bundles.item(version, versioned=True),
        )

    async def delete(self, call: Call) -> Any:
        name = call.name()
        call.authorize(Operation.DELETE, name)
        gone = await asyncio.to_thread(self._secrets.delete, call.key, name, days=retention_days(call.vault))
        self._mirror.hide(call.vault, name)
        return call.bundles.deleted(gone)

    async def list_deleted(self, call: Call) -> Any:
        call.authorize(Operation.LIST, None)
        return await page(
            call,
            lambda after, limit: self._secrets.all_deleted(call.key, after=after, limit=limit),
            lambda deleted: deleted.latest.name,
            lambda deleted: call.bundles.deleted(deleted, versioned=False),
        )

    async def get_deleted(self, call: Call) -> Any:
        name = call.name()
        call.authorize(Operation.GET_DELETED, name)
        return call.bundles.deleted(await asyncio.to_thread(self._secrets.deleted, call.key, name))

    async def recover(self, call: Call) -> Any:
        name = call.name()
        call.authorize(Operation.RECOVER, name)
        back = await asyncio.to_thread(self._secrets.recover, call.key, name)
        self._mirror.show(call.vault, back)
        return call.bundles.bundle(back, value=False)

    async def purge(self, call: Call) -> Any:
        name = call.name()
        call.authorize(Operation.PURGE, name)
        if call.vault.properties.get("enablePurgeProtection"):
            raise errors.purge_protected(call.key, call.vault.location)
        await asyncio.to_thread(self._secrets.purge, call.key, name)

    async def backup(self, call: Call) -> Any:
        name = call.name()
        call.authorize(Operation.BACKUP, name)
        blob = await asyncio.to_thread(self._secrets.export, call.key, name, _backup_context(call.vault))
        return {"value": base64.urlsafe_b64encode(blob).decode().rstrip("=")}

    async def restore(self, call: Call) -> Any:
        call.authorize(Operation.RESTORE, None)
        text = wire.read_backup(call.body)
        try:
            blob = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            back = await asyncio.to_thread(self._secrets.restore, call.key, blob, _backup_context(call.vault))
        except (TamperedError, binascii.Error) as error:
            raise errors.bad_parameter(
                "Backup blob is malformed, or was made in another subscription or geography."
            ) from error
        self._mirror.show(call.vault, back)
        return call.bundles.bundle(back, value=False)


def _backup_context(vault: Resource) -> str:
    return f"secret-backup/{vault.id.subscription}".lower()
