"""`resources.Deployment` through the provider, asked as a Pulumi engine asks it, on the served ARM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from azure.mgmt.resource.resources import ResourceManagementClient
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, deployments, resources
from sandbox.config import SUBSCRIPTION_ID
from sandbox.engine import plug
from sandbox.engine.azure_native.azure import Connections
from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.provider import AzureNative
from sandbox.engine.values import UNKNOWN, decode, encode
from tests.sandbox.arm.test_sdks import client
from tests.sandbox.azure.deployments.templates import template
from tests.sandbox.served import Served, served

URN = "urn:pulumi:test::trial::azure-native:resources:Deployment::settings"
TYPE = "Microsoft.Network/virtualNetworks"
NETWORK = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg/providers/{TYPE}/net"
VERSION = "2024-05-01"


def program(owner: str, **more: Any) -> dict[str, Any]:
    """What a program gives the resource."""
    network = {
        "type": TYPE,
        "apiVersion": VERSION,
        "name": "net",
        "location": "[resourceGroup().location]",
        "tags": {"owner": "[parameters('owner')]"},
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}},
        **more,
    }
    made = template(
        network,
        parameters={"owner": {"type": "string"}},
        outputs={"id": {"type": "string", "value": f"[resourceId('{TYPE}', 'net')]"}},
    )
    properties = {"mode": "Incremental", "template": made, "parameters": {"owner": {"value": owner}}}
    return {"resourceGroupName": "rg", "deploymentName": "main", "properties": properties}


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """With a resource group and, in it, a network that no deployment made."""
    modules = [resources, authorization, deployments]
    with served(tmp_path / "state", monkeypatch, catalogue(), modules) as found:
        manager = client(found, ResourceManagementClient)
        manager.resource_groups.create_or_update("rg", {"location": "westeurope"})
        body = {
            "location": "westeurope",
            "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}},
        }
        manager.resources.begin_create_or_update_by_id(NETWORK, body, api_version=VERSION).result()
        yield found


@pytest.fixture
def engine(cloud: Served, tmp_path: Path) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    provider = AzureNative(Connections(), Journal(tmp_path / "creations.json"))
    running, port = plug.server(provider, 0)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:1"))
        keys = cloud.deployer
        settings = {
            "metadataHost": "management.azure.test",
            "disableInstanceDiscovery": "true",
            "subscriptionId": SUBSCRIPTION_ID,
            "tenantId": keys["tenantId"],
            "clientId": keys["clientId"],
            "clientSecret": keys["clientSecret"],
        }
        stub.Configure(provider_pb2.ConfigureRequest(args=encode(settings)))
        yield stub
    running.stop(None)


def checked(stub: Any, given: dict[str, Any]) -> dict[str, Any]:
    answer = stub.Check(provider_pb2.CheckRequest(urn=URN, news=encode(given), randomSeed=b"seed"))
    assert [failure.reason for failure in answer.failures] == []
    return decode(answer.inputs)


def changed(stub: Any, id_: str, old: Any, new: Any, outputs: Any) -> list[str]:
    """Paths that differ; none of them may need another resource."""
    request = provider_pb2.DiffRequest(
        urn=URN, id=id_, olds=encode(outputs), old_inputs=encode(old), news=encode(new)
    )
    answer = stub.Diff(request)
    assert list(answer.replaces) == []
    return sorted(answer.detailedDiff)


def tags(cloud: Served) -> dict[str, str]:
    """Those of the network."""
    manager = client(cloud, ResourceManagementClient)
    return dict(manager.resources.get_by_id(NETWORK, api_version=VERSION).tags or {})


def test_a_life_in_a_graph(cloud: Served, engine: Any) -> None:
    inputs = checked(engine, program("agents"))
    assert "location" not in inputs  # a deployment to a group has none
    preview = engine.Create(provider_pb2.CreateRequest(urn=URN, properties=encode(inputs), preview=True))
    assert decode(preview.properties)["properties"]["outputs"] is UNKNOWN
    assert tags(cloud) == {}

    made = engine.Create(provider_pb2.CreateRequest(urn=URN, properties=encode(inputs)))
    outputs = decode(made.properties)
    assert made.id.endswith("/resourceGroups/rg/providers/Microsoft.Resources/deployments/main")
    assert outputs["properties"]["provisioningState"] == "Succeeded"
    assert outputs["properties"]["outputs"] == {"id": {"type": "String", "value": NETWORK}}
    assert tags(cloud) == {"owner": "agents"}

    # Nothing is left to do, also after a refresh.
    again = checked(engine, program("agents"))
    assert changed(engine, made.id, inputs, again, outputs) == []
    read = engine.Read(
        provider_pb2.ReadRequest(urn=URN, id=made.id, inputs=encode(inputs), properties=encode(outputs))
    )
    assert changed(engine, made.id, decode(read.inputs), again, decode(read.properties)) == []

    # A change is an update in place.
    other = checked(engine, program("others"))
    assert changed(engine, made.id, inputs, other, outputs) == ["properties.parameters.owner.value"]
    request = provider_pb2.UpdateRequest(
        urn=URN, id=made.id, olds=encode(outputs), old_inputs=encode(inputs), news=encode(other)
    )
    outputs = decode(engine.Update(request).properties)
    assert outputs["properties"]["provisioningState"] == "Succeeded"
    assert tags(cloud) == {"owner": "others"}

    # Without the deployment the network stays.
    engine.Delete(provider_pb2.DeleteRequest(urn=URN, id=made.id, properties=encode(outputs)))
    assert not engine.Read(provider_pb2.ReadRequest(urn=URN, id=made.id)).id
    assert tags(cloud) == {"owner": "others"}


def test_a_resources_own_error_reaches_the_user(engine: Any) -> None:
    inputs = checked(engine, program("agents", properties={"adressSpace": {}}))
    with pytest.raises(grpc.RpcError) as failure:
        engine.Create(provider_pb2.CreateRequest(urn=URN, properties=encode(inputs)))
    # The deployment is there, failed: the reasons come along for the next run to mend it.
    told = str(dict(failure.value.trailing_metadata()))
    assert "DeploymentFailed" in told
    assert "adressSpace" in told


def test_what_no_template_can_be_is_refused_at_once(engine: Any) -> None:
    given = program("agents")
    given["properties"]["template"]["variables"] = {"a": "[guid('x')]"}
    with pytest.raises(grpc.RpcError, match="guid"):
        engine.Create(provider_pb2.CreateRequest(urn=URN, properties=encode(checked(engine, given))))
