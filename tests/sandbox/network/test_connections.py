"""What a service shows of the private endpoints that lead to it."""

from __future__ import annotations

import asyncio
from typing import Any

from sandbox.arm.resource import Resource
from sandbox.azure.keyvault.vaults import VaultHandler
from tests.sandbox.network.world import Paper


def _shown(cloud: Paper, vault: Resource) -> list[dict[str, Any]]:
    body = asyncio.run(VaultHandler(cloud.world.services).view(vault))
    found: list[dict[str, Any]] = body["properties"].get("privateEndpointConnections", [])
    return found


def test_a_service_shows_its_endpoints_and_no_others(cloud: Paper) -> None:
    network, vault, other = cloud.network("one"), cloud.vault("kv"), cloud.vault("other")
    endpoint = cloud.endpoint("pe", network, vault, "vault")
    (connection,) = _shown(cloud, vault)
    assert connection["id"].startswith(f"{vault.id}/privateEndpointConnections/pe.")
    assert connection["properties"]["privateEndpoint"] == {"id": str(endpoint.id)}
    assert connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    assert _shown(cloud, vault) == [connection]
    assert _shown(cloud, other) == []
    cloud.delete(endpoint)
    assert _shown(cloud, vault) == []
