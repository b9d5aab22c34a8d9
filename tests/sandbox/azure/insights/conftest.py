"""The real types table and the monitoring providers behind ARM, in the test's own process. One cloud serves a
module: it takes longer to start than its tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from sandbox.arm.known import catalogue
from sandbox.azure import (
    alertsmanagement,
    consumption,
    dashboard,
    insights,
    keyvault,
    monitor,
    operationalinsights,
)
from sandbox.config import TENANT_ID
from tests.sandbox.clouds import GROUP, Client, running

PROVIDERS = (insights, monitor, alertsmanagement, dashboard, consumption, operationalinsights, keyvault)
GROUPS = f"{GROUP}/providers"
WORKSPACE = f"{GROUPS}/Microsoft.OperationalInsights/workspaces/log-agents"
COMPONENT = f"{GROUPS}/Microsoft.Insights/components/appi-agents"
ACTION_GROUP = f"{GROUPS}/Microsoft.Insights/actionGroups/ag-mail"
ACCOUNT = f"{GROUPS}/Microsoft.Monitor/accounts/amw-agents"
VAULT = f"{GROUPS}/Microsoft.KeyVault/vaults/kv-agents-dev"
HERE = {"location": "westeurope"}
VERSIONS = {"version": "2024-10-01"}


@dataclass
class Arm:
    """Bodies go through validation, handlers and views as on the served ARM."""

    client: Client

    async def put(self, path: str, properties: Any = None, **more: Any) -> Any:
        """What a PUT answers, which a client may send back unchanged."""
        body = _body(path, {**HERE, **more, **({} if properties is None else {"properties": properties})})
        answer = (await self.client.put(path, body, **VERSIONS)).json()
        again = await self.client.put(path, await self.get(path), **VERSIONS)
        assert again.status_code in (200, 201), again.text
        return answer

    async def get(self, path: str) -> Any:
        return await self.client.get(path, **VERSIONS)

    async def refused(self, path: str, properties: Any, **more: Any) -> tuple[int, str]:
        """Status and target of the refusal of a PUT."""
        body = _body(path, {**HERE, **more, "properties": properties})
        answer = await self.client.ask("PUT", path, body, **VERSIONS)
        error = answer.json()["error"]
        assert error["message"], error
        return answer.status_code, error.get("target", error["code"])


def _body(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Extensions of other resources have no location."""
    extension = "/providers/" in path.partition("/providers/")[2]
    kept = {key: value for key, value in body.items() if value is not None}
    return {key: value for key, value in kept.items() if not (extension and key == "location")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def arm(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Arm]:
    handlers = [handler for module in PROVIDERS for handler in module.HANDLERS]
    known = catalogue()
    types = [info for found in known.namespaces.values() for info in found]
    async with running(tmp_path_factory.mktemp("azure"), handlers=handlers, types=types) as client:
        made = Arm(client)
        await client.put(GROUP, HERE, **VERSIONS)
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workspace(arm: Arm) -> str:
    await arm.put(WORKSPACE, {})
    return WORKSPACE


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def action_group(arm: Arm) -> str:
    mail = {"name": "ops", "emailAddress": "ops@example.com"}
    properties = {"groupShortName": "mail", "enabled": True, "emailReceivers": [mail]}
    await arm.put(ACTION_GROUP, properties, location="Global")
    return ACTION_GROUP


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def account(arm: Arm) -> str:
    await arm.put(ACCOUNT)
    return ACCOUNT


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vault(arm: Arm) -> str:
    sku = {"family": "A", "name": "standard"}
    await arm.put(VAULT, {"tenantId": TENANT_ID, "sku": sku, "enableRbacAuthorization": True})
    return VAULT
