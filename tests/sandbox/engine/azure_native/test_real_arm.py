"""The provider under a real engine, on the sandbox's own ARM, Entra ID and Key Vault over HTTPS."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, keyvault, managedidentity, resources
from sandbox.config import SUBSCRIPTION_ID, TENANT_ID
from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.provider import AzureNative
from tests.sandbox.engine.conftest import Project
from tests.sandbox.served import Served, served

PROGRAM = f"""
    import pulumi
    from pulumi import CustomResource, ResourceOptions

    class Resource(CustomResource):
        def __init__(self, type, name, opts=None, **properties):
            super().__init__("azure-native:" + type, name, properties, opts)

    function = "azure-native:authorization:getClientConfig"
    me = pulumi.runtime.invoke(function, {{}}).value
    roles = "/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions/"
    group = Resource("resources:ResourceGroup", "group", resourceGroupName="rg-real", location="westeurope")
    where = {{"resourceGroupName": "rg-real"}}
    after = ResourceOptions(depends_on=[group])
    identity = Resource(
        "managedidentity:UserAssignedIdentity", "identity", after, resourceName="id-real", **where
    )
    Resource(
        "managedidentity:FederatedIdentityCredential", "federation", ResourceOptions(depends_on=[identity]),
        federatedIdentityCredentialResourceName="fic-real", resourceName="id-real",
        issuer="https://issuer.test/", subject="system:serviceaccount:a:b",
        audiences=["api://AzureADTokenExchange"], **where,
    )
    Resource(
        "network:VirtualNetwork", "network", after, virtualNetworkName="vnet-real",
        addressSpace={{"addressPrefixes": ["10.0.0.0/16"]}},
        subnets=[{{"name": "a", "addressPrefix": "10.0.0.0/24"}}], **where,
    )
    vault = Resource(
        "keyvault:Vault", "vault", after, vaultName="kv-real",
        properties={{"tenantId": "{TENANT_ID}", "sku": {{"family": "A", "name": "standard"}},
                    "enableRbacAuthorization": True}}, **where,
    )
    officer = Resource(
        "authorization:RoleAssignment", "officer", scope=vault.id, principalId=me["objectId"],
        principalType="ServicePrincipal", roleDefinitionId=roles + "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    )
    Resource(
        "keyvault:Secret", "secret", ResourceOptions(depends_on=[officer]),
        secretName="one", vaultName="kv-real", properties={{"value": "hush"}}, **where,
    )
    zone = Resource("dns:Zone", "zone", after, zoneName="real.test", location="global", **where)
    Resource(
        "dns:RecordSet", "record", ResourceOptions(depends_on=[zone]), zoneName="real.test", recordType="A",
        relativeRecordSetName="www", ttl=60, aRecords=[{{"ipv4Address": "10.1.1.1"}}], **where,
    )
"""
#: Resources of the program; the stack and the provider are beside them in the state.
COUNT = 9


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    modules = [resources, authorization, managedidentity, keyvault]
    with served(tmp_path / "state", monkeypatch, catalogue(), modules) as found:
        yield found


@pytest.fixture
def azure(cloud: Served, project: Project, tmp_path: Path) -> Project:
    deployer = cloud.deployer
    project.environment |= {
        "ARM_METADATA_HOSTNAME": "management.azure.test",
        "ARM_DISABLE_INSTANCE_DISCOVERY": "true",
        "ARM_TENANT_ID": deployer["tenantId"],
        "ARM_SUBSCRIPTION_ID": deployer["subscriptionId"],
        "ARM_CLIENT_ID": deployer["clientId"],
        "ARM_CLIENT_SECRET": deployer["clientSecret"],
    }
    project.attach(AzureNative(journal=Journal(tmp_path / "creations.json")))
    project.write(PROGRAM)
    return project


def resources_of(cloud: Served) -> list[str]:
    """Ids of what ARM has, as its store tells."""
    return sorted(str(item.id) for item in cloud.cloud.services.store.list())


def test_a_stack_on_the_sandboxes_own_arm(azure: Project, cloud: Served) -> None:
    before = resources_of(cloud)
    azure.up()
    made = [id_ for id_ in resources_of(cloud) if id_ not in before]
    assert len(made) == COUNT
    azure.pulumi("preview", "--expect-no-changes")
    azure.pulumi("up", "--yes", "--refresh", "--expect-no-changes")
    azure.pulumi("destroy", "--yes", "--skip-preview")
    assert resources_of(cloud) == before


def test_a_killed_engine_leaves_nothing_orphaned(azure: Project, cloud: Served) -> None:
    before = resources_of(cloud)
    chance = random.Random(7)  # noqa: S311 - moments to kill at
    for _ in range(3):
        _kill_during_up(azure, cloud, len(before) + chance.randint(1, COUNT - 1))
        azure.pulumi("cancel", "--yes")
    azure.up()
    assert len([id_ for id_ in resources_of(cloud) if id_ not in before]) == COUNT
    state = azure.state()
    assert len([item for item in state["resources"] if item["type"].startswith("azure-native:")]) == COUNT
    azure.pulumi("preview", "--expect-no-changes")
    azure.pulumi("destroy", "--yes", "--skip-preview")
    assert resources_of(cloud) == before


def _kill_during_up(azure: Project, cloud: Served, count: int) -> None:
    """End an engine the hard way as soon as ARM has `count` resources (or the update is over)."""
    running = subprocess.Popen(
        ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"],
        cwd=azure.directory,
        env=azure.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while running.poll() is None and len(resources_of(cloud)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def test_a_refusal_of_arm_is_shown(azure: Project) -> None:
    azure.write(PROGRAM.replace('"family": "A"', '"family": "B"'))
    output = azure.up(fails=True)
    assert 'Property="properties.sku.family"' in output


def test_a_wrong_secret_is_shown(azure: Project) -> None:
    azure.environment["ARM_CLIENT_SECRET"] = "wrong"
    output = azure.up(fails=True)
    assert "cannot authenticate client" in output
    assert "https://login.azure.test" in output
