"""The program's account of Cosmos DB under a real engine, while a region is lost and afterwards: an update
leaves the order of the regions to the failovers, and still makes every other change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.cosmosdb import CosmosDBManagementClient

from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.provider import AzureNative
from tests.sandbox.azure.documentdb import clouds
from tests.sandbox.engine.conftest import Project
from tests.sandbox.served import Served, client

WEST, NORTH = "westeurope", "northeurope"
ACCOUNT = "cosmos-agents-prod"
PROGRAM = f"""
    import pulumi
    from infra.azure.cosmos_account import RESTORE_INPUTS, AccountArgs, declare_account
    from infra.azure.exposure import Exposure
    from infra.azure.place import Place
    from infra.cloud import WELL_KNOWN
    from infra.settings.sections import CosmosSettings

    config = pulumi.Config()
    place = Place(
        cloud=WELL_KNOWN["public"],
        resource_group="{clouds.GROUP}",
        location="{WEST}",
        paired=config.get("paired"),
        protect=True,
        tags={{"owner": config.get("owner") or "platform"}},
    )
    declare_account(
        "cosmos",
        AccountArgs("{ACCOUNT}", place, CosmosSettings(), Exposure()),
        pulumi.ResourceOptions(protect=True, ignore_changes=list(RESTORE_INPUTS)),
    )
"""


@pytest.fixture
def cloud() -> Iterator[Served]:
    with clouds.running() as found:
        yield found


@pytest.fixture
def azure(cloud: Served, project: Project, tmp_path: Path) -> Project:
    project.environment |= cloud.environment
    project.attach(AzureNative(journal=Journal(tmp_path / "creations.json")))
    project.write(PROGRAM)
    return project


def order(cloud: Served) -> list[str]:
    found: Any = client(cloud, CosmosDBManagementClient).database_accounts.get(clouds.GROUP, ACCOUNT)
    return [place.location_name for place in found.failover_policies]


def owner(cloud: Served) -> str:
    found: Any = client(cloud, CosmosDBManagementClient).database_accounts.get(clouds.GROUP, ACCOUNT)
    return str(found.tags["owner"])


def test_an_update_leaves_failovers_alone(azure: Project, cloud: Served) -> None:
    azure.up()
    azure.configure("paired", NORTH)
    azure.up()
    assert order(cloud) == [WEST, NORTH], "a region that is added later is no failover"

    cloud.command("outage begin", region=WEST)
    assert order(cloud) == [NORTH, WEST]
    azure.pulumi("preview", "--expect-no-changes")
    # Anything else is sent with the order that Pulumi knows, which Azure refuses, or has read again.
    azure.configure("owner", "on-call")
    assert "cannot change the failover priorities" in azure.up(fails=True)
    azure.up("--refresh")
    assert (order(cloud), owner(cloud)) == ([NORTH, WEST], "on-call")

    cloud.command("outage end", region=WEST)
    azure.pulumi("preview", "--refresh", "--expect-no-changes")
    back = [{"locationName": WEST, "failoverPriority": 0}, {"locationName": NORTH, "failoverPriority": 1}]
    accounts: Any = client(cloud, CosmosDBManagementClient).database_accounts
    accounts.begin_failover_priority_change(clouds.GROUP, ACCOUNT, {"failoverPolicies": back}).result()
    azure.configure("owner", "platform")
    azure.up("--refresh")
    assert (order(cloud), owner(cloud)) == ([WEST, NORTH], "platform")


def test_another_second_region_is_told_of(azure: Project, cloud: Served) -> None:
    """It looks like a failover, so it is not made; without the first one it is."""
    azure.configure("paired", NORTH)
    azure.up()
    azure.configure("paired", "swedencentral")
    assert "A region is replaced in two updates" in azure.up()
    assert order(cloud) == [WEST, NORTH]
    azure.configure("paired", None)
    azure.up()
    azure.configure("paired", "swedencentral")
    assert "A region is replaced" not in azure.up()
    assert order(cloud) == [WEST, "swedencentral"]
