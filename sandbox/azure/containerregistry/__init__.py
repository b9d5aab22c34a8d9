"""Azure Container Registry: registries, their data plane behind Entra tokens, image builds."""

from __future__ import annotations

from sandbox.azure.containerregistry.plane import Plane
from sandbox.azure.containerregistry.registries import RegistryHandler, ReplicationHandler
from sandbox.azure.containerregistry.tasks.agent_pools import AgentPoolHandler
from sandbox.azure.containerregistry.tasks.runs import Runs
from sandbox.azure.containerregistry.tasks.storage import TaskStorage
from sandbox.services import Services

HANDLERS = (RegistryHandler, ReplicationHandler, AgentPoolHandler)


def mount(services: Services) -> None:
    storage = TaskStorage(services.config, services.names)
    services.router.mount(storage.host, storage.app())
    services.hosts.publish(storage.host)
    services.router.mount(f"*.{services.names.service('azurecr')}", Plane(services).app())


async def stop(services: Services) -> None:
    await Runs.of(services).stop()
