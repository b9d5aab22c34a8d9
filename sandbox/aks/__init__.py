"""Microsoft.ContainerService: every managed cluster is a real Kubernetes in namespaces of its own."""

from __future__ import annotations

from sandbox.aks import endpoint
from sandbox.aks.clusters import ManagedClusterHandler
from sandbox.aks.hooks import Hooks
from sandbox.aks.pools import AgentPoolHandler, runtime
from sandbox.config import REGIONS
from sandbox.services import Services

HANDLERS = (ManagedClusterHandler, AgentPoolHandler)


def mount(services: Services) -> None:
    """The endpoints that clusters call, and every region's OIDC issuer."""
    hooks = Hooks(services, runtime(services).api)
    services.router.mount(endpoint.host(services), hooks.app())
    for region in REGIONS:
        services.router.mount(f"{region}.oic.prod-aks.{services.names.suffix}", hooks.issuer_app())


async def stop(services: Services) -> None:
    """End the controllers; clusters go on without the sandbox's Azure."""
    await runtime(services).halt()
