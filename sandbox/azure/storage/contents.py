"""What an account's server holds, asked by the control plane."""

from __future__ import annotations

import re

import httpx

from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource, ResourceId
from sandbox.azure.storage.azurite import Azurite
from sandbox.services import Services

_BELOW = re.compile(r"/(blob|queue)Services/.*", re.IGNORECASE)


def account_of(services: Services, id: ResourceId) -> Resource | None:  # noqa: A002
    """The account that a container, a queue or a policy lies in."""
    return services.store.get(parse_id(_BELOW.sub("", id.text)))


async def holds_blobs(services: Services, container: Resource) -> bool:
    """Raises ArmError 503 when the server does not answer."""
    account = account_of(services, container.id)
    if account is None or Azurite(services, account).ports() is None:
        return False
    target = f"/{container.id.name}?restype=container&comp=list&maxresults=1&include=snapshots"
    try:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            answer = await Azurite(services, account).call(client, "blob", "GET", target)
    except httpx.HTTPError as error:
        raise ArmError(
            503,
            "StorageServerUnavailable",
            f"The storage server of '{account.id.name}' does not answer: {error!r}",
        ) from error
    return answer.is_success and "<Blob>" in answer.text
