"""Azure Storage: accounts, blob containers and queues, with Azurite behind a gateway that knows Entra ID and
keeps what is immutable."""

from __future__ import annotations

import httpx

from sandbox.azure.storage.accounts import StorageAccountHandler
from sandbox.azure.storage.containers import ContainerHandler, QueueHandler
from sandbox.azure.storage.gateway import Gateway
from sandbox.azure.storage.immutability import ImmutabilityPolicyHandler
from sandbox.azure.storage.lifecycle_policies import ManagementPolicyHandler
from sandbox.azure.storage.permissions import Service
from sandbox.azure.storage.service_properties import BlobServiceHandler, QueueServiceHandler
from sandbox.azure.storage.worm import Worm
from sandbox.services import Services

HANDLERS = (
    StorageAccountHandler,
    BlobServiceHandler,
    ContainerHandler,
    ImmutabilityPolicyHandler,
    QueueServiceHandler,
    QueueHandler,
    ManagementPolicyHandler,
)

_SERVICES: tuple[Service, ...] = ("blob", "queue")
#: Long uploads and downloads stream, so only the wait for one read is bounded.
_TIMEOUT = httpx.Timeout(120, connect=5)
_LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=3)


def mount(services: Services) -> None:
    for service in _SERVICES:
        client = httpx.AsyncClient(timeout=_TIMEOUT, limits=_LIMITS, trust_env=False)
        suffix = f"{service}.{services.names.service('storage')}"
        services.router.mount(f"*.{suffix}", Gateway(services, service, client, Worm(services, client)))
