"""The template that leads a source's name to its stamp, on the served ARM: it sets a record that is there.

Its going takes nothing along (docs/adr/0014-a-stamp-in-the-paired-region.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.dns import DnsManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient

from infra.azure.traffic import template
from sandbox.arm.known import catalogue
from sandbox.azure import authorization, deployments, dns, managedidentity, resources
from tests.sandbox.arm.test_sdks import client
from tests.sandbox.served import Served, served

GROUP, ZONE, NAME = "rg-agents-prod", "azure.test", "agents-prod"
OWN = {"properties": {"TTL": 60, "ARecords": [{"ipv4Address": "10.77.1.100"}]}}


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    modules = [resources, authorization, managedidentity, dns, deployments]
    with served(tmp_path, monkeypatch, catalogue(), modules) as found:
        yield found


@pytest.fixture
def records(cloud: Served) -> Any:
    """The client of records; `prod` has its own."""
    client(cloud, ResourceManagementClient).resource_groups.create_or_update(
        GROUP, {"location": "westeurope"}
    )
    names = client(cloud, DnsManagementClient)
    names.zones.create_or_update(GROUP, ZONE, {"location": "global"})
    names.record_sets.create_or_update(GROUP, ZONE, NAME, "A", OWN)
    return names.record_sets


def shown(records: Any) -> tuple[str, int, dict[str, str]]:
    found = records.get(GROUP, ZONE, NAME, "A")
    return found.a_records[0].ipv4_address, found.ttl, dict(found.metadata or {})


def test_a_name_is_taken_over_and_taken_back(cloud: Served, records: Any) -> None:
    manager = client(cloud, DeploymentsMgmtClient).deployments
    wanted = template(ZONE, f"{NAME}.{ZONE}", "10.77.2.100", "prod-dr")
    body = {"properties": {"mode": "Incremental", "template": wanted}}
    for _ in range(2):
        manager.begin_create_or_update(GROUP, "traffic-prod-dr", body).result()
        assert shown(records) == ("10.77.2.100", 60, {"servedBy": "prod-dr"})
    manager.begin_delete(GROUP, "traffic-prod-dr").result()
    assert shown(records) == ("10.77.2.100", 60, {"servedBy": "prod-dr"})
    # As its own program writes it: nothing says any longer that another stack serves.
    records.create_or_update(GROUP, ZONE, NAME, "A", OWN)
    assert shown(records) == ("10.77.1.100", 60, {})
