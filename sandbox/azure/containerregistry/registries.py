"""`Microsoft.ContainerRegistry/registries`: each one is a distribution registry of its own."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource
from sandbox.arm.store import timestamp
from sandbox.azure.containerregistry import admin, naming, sku
from sandbox.azure.containerregistry.distribution import Distribution, distribution
from sandbox.azure.containerregistry.folder import Folder
from sandbox.azure.containerregistry.imports import Imports
from sandbox.azure.containerregistry.tasks.runs import Runs
from sandbox.azure.private_link import PrivateLinkTarget

_DEFAULTS: Mapping[str, Any] = {
    "adminUserEnabled": False,
    "anonymousPullEnabled": False,
    "dataEndpointEnabled": False,
    "dataEndpointHostNames": [],
    "encryption": {"status": "disabled"},
    "networkRuleBypassOptions": "AzureServices",
    "privateEndpointConnections": [],
    "publicNetworkAccess": "Enabled",
    "zoneRedundancy": "Disabled",
    "roleAssignmentMode": "LegacyRegistryPermissions",
}
_POLICIES: Mapping[str, Mapping[str, Any]] = {
    "quarantinePolicy": {"status": "disabled"},
    "trustPolicy": {"type": "Notary", "status": "disabled"},
    "retentionPolicy": {"days": 7, "status": "disabled"},
    "exportPolicy": {"status": "enabled"},
    "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
}


def _policies(sent: Mapping[str, Any]) -> dict[str, Any]:
    unknown = {name: value for name, value in sent.items() if name not in _POLICIES}
    known = {name: {**default, **(sent.get(name) or {})} for name, default in _POLICIES.items()}
    return {**known, **unknown}


class RegistryHandler(PrivateLinkTarget):
    type = naming.TYPE
    long_running = True

    async def check(self, put: Put) -> None:
        if put.previous is None:
            if (message := naming.invalid(put.id.name)) is not None:
                raise bad_request("InvalidResourceName", message, "name")
            if naming.taken(self.services.store, put.id.name):
                login_server = naming.login_server(self.services.names, put.id.name)
                raise conflict(
                    "AlreadyInUse",
                    f"The registry DNS name {login_server} is already in use. You can check if the name is "
                    "already claimed using following API: https://docs.microsoft.com/en-us/rest/api/containerregistry/"
                    "registries/checknameavailability",
                )
        elif put.body.get("location", put.previous.location) != put.previous.location:
            raise conflict(
                "InvalidResourceLocation", f"The location of registry '{put.id.name}' cannot be changed."
            )
        sku.check(put.body)

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        sent = body.get("properties") or {}
        before = put.previous.properties if put.previous else {}
        body["sku"] = sku.with_tier(body["sku"])
        body["properties"] = {
            **copy.deepcopy(dict(_DEFAULTS)),
            **sent,
            "policies": _policies(sent.get("policies") or {}),
            "loginServer": naming.login_server(self.services.names, put.id.name),
            "creationDate": before.get("creationDate") or timestamp(time.time()),
        }
        return body

    async def provision(self, resource: Resource) -> None:
        Runs.of(self.services).prepare()
        await self._backend(resource).start(self.services.supervisor)
        self.services.hosts.publish(naming.login_server(self.services.names, resource.id.name))

    async def resume(self, resource: Resource) -> None:
        await self.provision(resource)
        Runs.of(self.services).resume(resource)

    async def delete(self, resource: Resource) -> None:
        await Runs.of(self.services).forget(resource)
        await self._backend(resource).stop(self.services.supervisor)
        self.services.hosts.withdraw(naming.login_server(self.services.names, resource.id.name))
        await asyncio.to_thread(self._folder(resource).remove)

    def actions(self) -> Mapping[str, Action]:
        runs = Runs.of(self.services)
        return {
            "listCredentials": self._list_credentials,
            "regenerateCredential": self._regenerate_credential,
            "listBuildSourceUploadUrl": runs.upload_url,
            "scheduleRun": runs.schedule,
        }

    def operations(self) -> Sequence[Operation]:
        path = "/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/checkNameAvailability"
        action = "Microsoft.ContainerRegistry/checkNameAvailability/read"
        return (
            Operation("POST", path, action, self._check_name),
            *Imports(self.services).operations(),
            *Runs.of(self.services).operations(),
        )

    async def _check_name(self, call: OperationCall) -> Answer:
        name, kind = call.body.get("name"), call.body.get("type", naming.TYPE)
        if not isinstance(name, str) or str(kind).lower() != naming.TYPE.lower():
            raise bad_request("InvalidRequest", f"Send a name and the type '{naming.TYPE}'.")
        if (message := naming.invalid(name)) is not None:
            return Answer(body={"nameAvailable": False, "reason": "Invalid", "message": message})
        if naming.taken(self.services.store, name):
            message = f"The registry {name} is already in use."
            return Answer(body={"nameAvailable": False, "reason": "AlreadyExists", "message": message})
        return Answer(body={"nameAvailable": True})

    async def _list_credentials(self, call: Call) -> Any:
        return admin.credentials(call.resource, self._folder(call.resource))

    async def _regenerate_credential(self, call: Call) -> Any:
        return admin.regenerate(call.resource, self._folder(call.resource), call.body.get("name"))

    def _backend(self, resource: Resource) -> Distribution:
        return distribution(self.services.config, resource.id.name.lower())

    def _folder(self, resource: Resource) -> Folder:
        return Folder.of(self.services.config, resource.id.name)


class ReplicationHandler(Handler):
    """A stored copy's place; images are served by the one backend, from every region."""

    type = f"{naming.TYPE}/replications"
    long_running = True

    def homes(self, resource: Resource) -> frozenset[str]:
        """None of its own: replicas are managed in the registry's home region."""
        del resource
        return frozenset()

    async def check(self, put: Put) -> None:
        registry = self.services.store.get(put.id.text.rsplit("/", 2)[0])
        if registry is None:
            return
        sku.require_premium(registry, "Geo-replication needs")
        location = put.body.get("location")
        others = self.services.store.list(type=self.type, under=str(registry.id))
        homes = {registry.location, *(other.location for other in others if other.id != put.id)}
        if put.previous is None and location in homes:
            raise ArmError(409, "AlreadyExists", f"Registry '{registry.id.name}' is in {location} already.")

    async def fill(self, put: Put) -> Body:
        sent = put.body.get("properties") or {}
        status = {"displayStatus": "Ready", "timestamp": timestamp(time.time())}
        before = put.previous.properties if put.previous else {}
        defaults = {"regionEndpointEnabled": True, "zoneRedundancy": "Disabled"}
        properties = {**defaults, **sent, "status": before.get("status") or status}
        return {**put.body, "properties": properties}
