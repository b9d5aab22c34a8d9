"""Updates that Azure fails: a clear message, and a state that the next `pulumi up` completes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.engine.azure_native.test_real_arm import COUNT, resources_of
from tests.sandbox.engine.azure_native.test_real_arm import azure as azure  # noqa: PLC0414 (a fixture)
from tests.sandbox.engine.azure_native.test_real_arm import cloud as cloud  # noqa: PLC0414 (a fixture)
from tests.sandbox.engine.conftest import Project
from tests.sandbox.served import Served

#: Of the program's resources, those that ARM makes with a PUT.
TYPES = (
    "Microsoft.Resources/resourceGroups",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.KeyVault/vaults/secrets",
    "Microsoft.Network/dnsZones",
    "Microsoft.Network/dnsZones/A",
)


def fault(cloud: Served, **given: Any) -> None:
    cloud.cloud.faults.add({"target": "arm", "method": "PUT", **given})


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        ({"status": 409, "times": 1}, "Conflict"),
        # The client tries four times.
        ({"status": 500, "times": 4}, "InternalServerError"),
        ({"operation_fails": True, "times": 1}, "InternalOperationError"),
    ],
    ids=["conflict", "internal error", "failed operation"],
)
def test_every_type_may_fail_once(azure: Project, cloud: Served, effect: dict[str, Any], said: str) -> None:
    before = resources_of(cloud)
    for name in TYPES:
        fault(cloud, type=name, **effect)
    for _ in range(len(TYPES)):
        if not cloud.cloud.faults.all():
            break
        shown = azure.up(fails=True)
        assert said in shown
        assert "unexpected" not in shown
    azure.up()
    assert len([id_ for id_ in resources_of(cloud) if id_ not in before]) == COUNT
    azure.pulumi("preview", "--expect-no-changes")


def test_throttling_is_waited_out(azure: Project, cloud: Served) -> None:
    fault(cloud, type="*", status=429, retry_after=1, times=5)
    azure.up()
    assert cloud.cloud.faults.all() == []


def test_a_slow_answer_is_waited_for(azure: Project, cloud: Served) -> None:
    fault(cloud, type="Microsoft.KeyVault/vaults", hang=3, times=1)
    azure.up()


def test_a_deletion_that_fails_can_be_repeated(azure: Project, cloud: Served) -> None:
    before = resources_of(cloud)
    azure.up()
    fault(cloud, method="DELETE", type="Microsoft.Network/virtualNetworks", operation_fails=True, times=1)
    shown = azure.pulumi("destroy", "--yes", "--skip-preview", fails=True)
    assert "InternalOperationError" in shown
    azure.pulumi("destroy", "--yes", "--skip-preview")
    assert resources_of(cloud) == before
