"""Create, read, update and delete of one resource on ARM."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.engine.azure_native import outputs
from sandbox.engine.azure_native.arm_client import ArmClient, RefusedError
from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.wording import describe
from sandbox.engine.failures import InitFailedError, PlugError
from sandbox.engine.plug import CancelledError
from sandbox.engine.values import reveal
from sandbox.types import cache, translate
from sandbox.types.armtype import ArmType
from sandbox.types.schema import Schema

Properties = dict[str, Any]

_VAULT_API = "7.4"
#: ARM's codes for a resource that something else is still at work on, such as an earlier, killed run.
_BUSY = {
    "AnotherOperationInProgress",
    "ParentResourceBeingDeleted",
    "ResourceBeingDeleted",
    "ResourceGroupBeingDeleted",
}
#: Seconds between two looks at it, and to wait at most.
_LOOK, _PATIENCE = 1.0, 1800.0


@dataclass(frozen=True)
class Resource:
    """One resource of the program: its type, id, and the client that reaches it. Inputs hold no unknowns."""

    row: ArmType
    id: str
    client: ArmClient
    api_version: str

    @property
    def _schema(self) -> Schema:
        return cache.schema(self.row)

    def create(self, inputs: Properties, journal: Journal, urn: str) -> Properties:
        """Outputs of the new resource. Raises PlugError when nothing was made, InitFailedError otherwise."""
        mine = journal.begin(urn, self.id)
        try:
            if self.row.default_body is None and not mine:
                self._require_free()
            return self._put("creating", inputs, self._body(inputs))
        except InitFailedError:
            raise
        except PlugError:
            if not mine:
                journal.forget(urn, self.id)
            raise

    def _require_free(self) -> None:
        end = time.monotonic() + _PATIENCE
        while (found := self._get("creating")) is not None:
            if _state(found) == "deleting" and time.monotonic() < end:
                self.client.sleep(_LOOK)
                continue
            raise PlugError(
                f"cannot create already existing resource '{self.id}'. "
                "If it is this stack's, take it over with `pulumi import`."
            )

    def update(self, inputs: Properties) -> Properties:
        """Outputs after a full PUT. Arrays of sub-resources that the program does not mention are kept."""
        body = self._body(inputs)
        missing = [path for path in self.row.keep_unset if _at(inputs, path) is None]
        if missing:
            self._keep(body, missing)
        return self._put("updating", inputs, body)

    def read(self) -> Properties | None:
        """The body that ARM answers, or None when there is no such resource."""
        return self._get("reading")

    def delete(self) -> None:
        """Delete and wait. A resource that is not there is deleted; a singleton is set back."""
        try:
            if self.row.vault_collection is not None:
                self._delete_in_vault(self.row.vault_collection)
                return
            if self.row.default_body is not None:
                response = self._send("PUT", dict(self.row.default_body))
            else:
                response = self._send("DELETE")
            self.client.finish(response, self.id, self.api_version, deleting=True)
        except RefusedError as error:
            if error.status != 404:
                raise self._error("deleting", error) from error

    def _delete_in_vault(self, collection: str) -> None:
        """ARM creates a vault's secrets and keys, but only the vault itself deletes them."""
        vault, name = self.id.split("/")[-3], self.id.split("/")[-1]
        url = f"https://{vault}.{self.client.vaults}/{collection}/{name}"
        self.client.send("DELETE", url, _VAULT_API, audience=f"https://{self.client.vaults}")

    def _body(self, inputs: Properties) -> Properties:
        try:
            return translate.to_wire(self.row.types[0], reveal(inputs))
        except LookupError as error:
            raise PlugError(f"{self.id}: {error}") from error

    def _get(self, doing: str) -> Properties | None:
        try:
            return self.client.get(self.id, self.api_version)
        except RefusedError as error:
            raise self._error(doing, error) from error

    def _put(self, doing: str, inputs: Properties, body: Properties) -> Properties:
        try:
            response = self._send("PUT", body)
        except RefusedError as error:
            raise self._error(doing, error) from error
        try:
            self.client.finish(response, self.id, self.api_version)
            found = self.client.get(self.id, self.api_version)
        except RefusedError as error:
            raise self._unfinished(inputs, describe(doing, self.id, self._schema, error)) from error
        except CancelledError as error:
            raise self._unfinished(inputs, f"{doing} {self.id}: {error}; Azure goes on with it") from error
        if found is None:
            raise PlugError(f"{doing} {self.id}: ARM accepted it, but does not have it")
        return outputs.of(self.row, found)

    def _send(self, method: str, body: Properties | None = None) -> httpx.Response:
        """One request, made when the resource is idle."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                return self.client.send(method, self.id, self.api_version, body)
            except RefusedError as error:
                if error.status != 409 or error.code not in _BUSY or time.monotonic() > end:
                    raise
            self.client.sleep(_LOOK)

    def _unfinished(self, inputs: Properties, reason: str) -> InitFailedError:
        """The resource was accepted and may be half there: the engine must keep it."""
        try:
            found = self.client.get(self.id, self.api_version)
        except (RefusedError, CancelledError):
            found = None
        return InitFailedError(self.id, outputs.of(self.row, found or {}), inputs, (reason,))

    def _keep(self, body: Properties, paths: list[str]) -> None:
        """Copy arrays from the resource as it is into a body that does not set them."""
        current = self._get("updating") or {}
        root = self._schema.definitions[self._schema.root]
        for path in paths:
            head, _, rest = path.partition(".")
            wire = (*root.sdk[head].path, *(rest.split(".") if rest else ()))
            value: Any = current
            for step in wire:
                value = value.get(step) if isinstance(value, Mapping) else None
            if value is not None:
                target = body
                for step in wire[:-1]:
                    target = target.setdefault(step, {})
                target[wire[-1]] = value

    def _error(self, doing: str, error: RefusedError) -> PlugError:
        return PlugError(describe(doing, self.id, self._schema, error))


def _state(body: Mapping[str, Any]) -> str:
    """The resource's provisioningState in lower case; empty where it has none."""
    properties = body.get("properties")
    return str(properties.get("provisioningState", "")).lower() if isinstance(properties, Mapping) else ""


def _at(inputs: Mapping[str, Any], path: str) -> Any:
    value: Any = reveal(dict(inputs))
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
