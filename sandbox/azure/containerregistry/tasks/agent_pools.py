"""`Microsoft.ContainerRegistry/registries/agentPools`: machines of a registry's own that build images.

They may stand in a subnet, and then reach a registry that is closed to the internet by its private endpoint.
Azure's shared machines do not, whatever the registry lets Azure's services do.
https://learn.microsoft.com/azure/container-registry/tasks-agent-pools
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.azure.containerregistry import firewall, naming, sku
from sandbox.azure.containerregistry.folder import Folder
from sandbox.azure.containerregistry.tasks.run import RunFiles
from sandbox.network import addresses, endpoints
from sandbox.services import Services

TYPE = f"{naming.TYPE}/agentPools"
_TIERS = ("S1", "S2", "S3", "I6")
_DEFAULTS: Mapping[str, Any] = {"count": 1, "tier": "S1", "os": "Linux"}


class AgentPoolHandler(Handler):
    """Stored; builds run on this machine whichever pool they name, and reach what their pool would."""

    type = TYPE
    long_running = True

    async def check(self, put: Put) -> None:
        registry = self.services.store.get(put.id.text.rsplit("/", 2)[0])
        if registry is None:
            return
        sku.require_premium(registry, "Agent pools need")
        sent = put.body.get("properties") or {}
        if (tier := sent.get("tier", "S1")) not in _TIERS:
            raise bad_request(
                "InvalidTier", f"The tier '{tier}' is none of {', '.join(_TIERS)}.", "properties.tier"
            )
        subnet = sent.get("virtualNetworkSubnetResourceId")
        if subnet and self.services.store.get(str(subnet)) is None:
            raise bad_request(
                "SubnetNotFound",
                f"The subnet {subnet} was not found.",
                "properties.virtualNetworkSubnetResourceId",
            )

    async def fill(self, put: Put) -> Body:
        return {**put.body, "properties": {**_DEFAULTS, **(put.body.get("properties") or {})}}

    def actions(self) -> Mapping[str, Action]:
        return {"listQueueStatus": self._queue_status}

    async def _queue_status(self, call: Call) -> dict[str, int]:
        registry, pool = call.resource.id.text.split("/")[-3], call.resource.id.name.lower()
        runs = RunFiles(Folder.of(self.services.config, registry)).all()
        mine = [run for run in runs if not run.done and (run.build.agent_pool or "").lower() == pool]
        return {"count": len(mine)}


def find(services: Services, registry: Resource, name: str) -> Resource:
    """The pool of that name. Raises ArmError."""
    pool = services.store.get(f"{registry.id}/agentPools/{name}")
    if pool is None:
        raise bad_request(
            "AgentPoolNotFound", f"Registry '{registry.id.name}' has no agent pool '{name}'.", "agentPoolName"
        )
    return pool


def refused(services: Services, registry: Resource, pool: str | None) -> str | None:
    """Why the registry does not take the push of a build; None when it does."""
    rules = firewall.rules(registry)
    if rules.public and rules.default:
        return None
    subnet = _subnet(services, registry, pool) if pool else None
    if subnet is not None and _endpoint_in(services, registry, subnet.rpartition("/subnets/")[0]):
        return None
    return firewall.denied(addresses.SERVICES)


def _subnet(services: Services, registry: Resource, pool: str) -> str | None:
    """The key of the subnet that a pool's machines stand in."""
    found = services.store.get(f"{registry.id}/agentPools/{pool}")
    subnet = found.properties.get("virtualNetworkSubnetResourceId") if found else None
    return "/" + str(subnet).strip("/").lower() if subnet else None


def _endpoint_in(services: Services, registry: Resource, network: str) -> bool:
    """Whether the registry has an address in a virtual network."""
    return any(
        endpoints.is_approved(one)
        and endpoints.leads_to(one)[0] == registry.id.key
        and str((one.properties.get("subnet") or {}).get("id", "")).lower().startswith(f"{network}/subnets/")
        for one in services.store.list(
            type=endpoints.TYPE, under=f"/subscriptions/{registry.id.subscription}"
        )
    )
