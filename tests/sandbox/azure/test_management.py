"""The official management clients on the served ARM, for every service of `sandbox.azure` that has one here.

One cloud serves the whole module; each test has names of its own.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import get_bearer_token_provider
from azure.keyvault.secrets import SecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.dns import DnsManagementClient
from azure.mgmt.dns.models import ARecord, RecordSet, Zone
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.privatedns import PrivateDnsManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient
from azure.storage.queue import QueueClient

from sandbox.arm.known import catalogue
from sandbox.azure import (
    authorization,
    cognitiveservices,
    dns,
    keyvault,
    managedidentity,
    network,
    operationalinsights,
    resources,
    storage,
)
from sandbox.config import SUBSCRIPTION_ID, TENANT_ID, Config
from tests.sandbox.azure import fakes
from tests.sandbox.served import Served, client, credential, served

MODULES = [
    resources,
    authorization,
    managedidentity,
    keyvault,
    cognitiveservices,
    storage,
    network,
    dns,
    operationalinsights,
]
GROUP = "rg-services"
ROLES = f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions"
SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
QUEUE_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        pytest.MonkeyPatch.context() as patch,
        served(tmp_path_factory.mktemp("services"), patch, catalogue(), MODULES) as found,
    ):
        client(found, ResourceManagementClient).resource_groups.create_or_update(
            GROUP, {"location": "westeurope"}
        )
        yield found
        supervisor = found.cloud.services.supervisor
        assert isinstance(supervisor, fakes.Supervisor)
        supervisor.end()


def assign(cloud: Served, scope: str, role: str) -> None:
    body = {
        "role_definition_id": f"{ROLES}/{role}",
        "principal_id": cloud.deployer["objectId"],
        "principal_type": "ServicePrincipal",
    }
    client(cloud, AuthorizationManagementClient).role_assignments.create(scope, str(uuid.uuid4()), body)


def test_a_vault_through_its_life(cloud: Served) -> None:
    vaults = client(cloud, KeyVaultManagementClient)
    body = {
        "location": "westeurope",
        "properties": {
            "tenantId": TENANT_ID,
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
            "softDeleteRetentionInDays": 7,
        },
    }
    made = vaults.vaults.begin_create_or_update(GROUP, "kv-life", body).result()
    assert made.properties.vault_uri == "https://kv-life.vault.azure.test/"
    secret = vaults.secrets.create_or_update(GROUP, "kv-life", "one", {"properties": {"value": "1"}})
    assert secret.properties.value is None
    with SecretClient(made.properties.vault_uri, credential(cloud), retry_total=0) as data:
        with pytest.raises(HttpResponseError, match="ForbiddenByRbac"):
            data.get_secret("one")
        assign(cloud, made.id, SECRETS_OFFICER)
        assert data.get_secret("one").value == "1"
        data.set_secret("two", "2")
        assert {s.name for s in vaults.secrets.list(GROUP, "kv-life")} == {"one", "two"}
        assert vaults.secrets.get(GROUP, "kv-life", "two").properties.secret_uri.endswith("/secrets/two")
        assert not vaults.vaults.check_name_availability({"name": "kv-life"}).name_available
        vaults.vaults.delete(GROUP, "kv-life")
        with pytest.raises(ResourceExistsError, match="deleted state"):
            vaults.vaults.begin_create_or_update(GROUP, "kv-life", body).result()
        assert "kv-life" in [v.name for v in vaults.vaults.list_deleted()]
        body["properties"]["createMode"] = "recover"  # type: ignore[index]
        back = vaults.vaults.begin_create_or_update(GROUP, "kv-life", body).result()
        assert back.properties.soft_delete_retention_in_days == 7
        assert {s.name for s in vaults.secrets.list(GROUP, "kv-life")} == {"one", "two"}
        with pytest.raises(HttpResponseError, match="ForbiddenByRbac"):
            data.get_secret("one")
        assign(cloud, back.id, SECRETS_OFFICER)
        assert data.get_secret("two").value == "2"
    vaults.vaults.delete(GROUP, "kv-life")
    vaults.vaults.begin_purge_deleted("kv-life", "westeurope").result()
    with pytest.raises(ResourceNotFoundError):
        vaults.vaults.get_deleted("kv-life", "westeurope")


def test_an_openai_account_through_its_life(cloud: Served) -> None:
    accounts = client(cloud, CognitiveServicesManagementClient)
    body: Any = {
        "location": "westeurope",
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {"customSubDomainName": "oai-life", "disableLocalAuth": True},
    }
    made = accounts.accounts.begin_create(GROUP, "oai-life", body).result()
    deployment = {
        "sku": {"name": "Standard", "capacity": 50},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}},
    }
    deployed = accounts.deployments.begin_create_or_update(GROUP, "oai-life", "chat", deployment).result()
    assert {limit.key: limit.count for limit in deployed.properties.rate_limits} == {
        "request": 50,
        "token": 50_000,
    }
    with pytest.raises(HttpResponseError, match="disableLocalAuth"):
        accounts.accounts.list_keys(GROUP, "oai-life")
    provider = get_bearer_token_provider(credential(cloud), "https://cognitiveservices.azure.com/.default")
    chat = openai.AzureOpenAI(
        azure_endpoint=made.properties.endpoint,
        azure_ad_token_provider=provider,
        api_version="2024-10-21",
        max_retries=0,
    )
    messages: Any = [{"role": "user", "content": "hello"}]
    with chat:
        with pytest.raises(openai.PermissionDeniedError):
            chat.chat.completions.create(model="chat", messages=messages)
        assign(cloud, made.id, OPENAI_USER)
        assert chat.chat.completions.create(model="chat", messages=messages).choices[0].message.content
    accounts.accounts.begin_delete(GROUP, "oai-life").result()
    with pytest.raises(HttpResponseError, match="soft-deleted"):
        accounts.accounts.begin_create(GROUP, "oai-life", body).result()
    assert accounts.deleted_accounts.get("westeurope", GROUP, "oai-life").properties.deletion_date
    body["properties"]["restore"] = True
    assert accounts.accounts.begin_create(GROUP, "oai-life", body).result().properties.endpoint
    accounts.accounts.begin_delete(GROUP, "oai-life").result()
    accounts.deleted_accounts.begin_purge("westeurope", GROUP, "oai-life").result()
    assert "oai-life" not in [a.name for a in accounts.deleted_accounts.list()]


def test_a_storage_account_through_its_life(cloud: Served) -> None:
    if not (Config().cache / "bin" / "azurite").exists() or shutil.which("node") is None:
        pytest.skip("Azurite is not in the cache; `make up` installs it")
    stores = client(cloud, StorageManagementClient)
    body: Any = {
        "location": "westeurope",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"allowSharedKeyAccess": False, "minimumTlsVersion": "TLS1_2"},
    }
    made = stores.storage_accounts.begin_create(GROUP, "stlife", body).result()
    assert made.properties.primary_endpoints.queue == "https://stlife.queue.storage.azure.test/"
    stores.blob_containers.create(GROUP, "stlife", "prompts", {"properties": {}})
    assert [c.name for c in stores.blob_containers.list(GROUP, "stlife")] == ["prompts"]
    queue = stores.queue.create(GROUP, "stlife", "notification", {"properties": {}})
    assert stores.blob_services.get_service_properties(GROUP, "stlife").name == "default"
    assert len(stores.storage_accounts.list_keys(GROUP, "stlife").keys_property) == 2
    line = QueueClient(
        made.properties.primary_endpoints.queue, "notification", credential=credential(cloud), retry_total=0
    )
    with line:
        with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
            line.send_message("x")
        assign(cloud, queue.id, QUEUE_CONTRIBUTOR)
        line.send_message("x")
        assert [m.content for m in line.receive_messages()] == ["x"]
    updated = stores.storage_accounts.update(GROUP, "stlife", {"tags": {"a": "b"}})
    assert updated.tags["a"] == "b"
    stores.queue.delete(GROUP, "stlife", "notification")
    stores.blob_containers.delete(GROUP, "stlife", "prompts")
    stores.storage_accounts.delete(GROUP, "stlife")
    assert stores.storage_accounts.check_name_availability({"name": "stlife"}).name_available


def test_networks_and_their_subnets(cloud: Served) -> None:
    networks = client(cloud, NetworkManagementClient)
    body: Any = {
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
            "subnets": [{"name": "nodes", "properties": {"addressPrefix": "10.1.0.0/20"}}],
        },
    }
    made = networks.virtual_networks.begin_create_or_update(GROUP, "vnet", body).result()
    assert [s.name for s in made.properties.subnets] == ["nodes"]
    pods = {"properties": {"addressPrefix": "10.1.16.0/24"}}
    networks.subnets.begin_create_or_update(GROUP, "vnet", "pods", pods).result()
    del body["properties"]["subnets"]
    kept = networks.virtual_networks.begin_create_or_update(GROUP, "vnet", body).result()
    assert [s.name for s in kept.properties.subnets] == ["nodes", "pods"]
    assert [s.properties.address_prefix for s in networks.subnets.list(GROUP, "vnet")] == [
        "10.1.0.0/20",
        "10.1.16.0/24",
    ]
    with pytest.raises(HttpResponseError, match="NetcfgSubnetRangesOverlap"):
        networks.subnets.begin_create_or_update(
            GROUP, "vnet", "more", {"properties": {"addressPrefix": "10.1.15.0/24"}}
        ).result()
    networks.subnets.begin_delete(GROUP, "vnet", "pods").result()
    networks.virtual_networks.begin_delete(GROUP, "vnet").result()


def test_zones_and_records(cloud: Served) -> None:
    zones = client(cloud, DnsManagementClient)
    made = zones.zones.create_or_update(GROUP, "life.azure.test", Zone(location="global"))
    assert len(made.name_servers) == 4
    body = RecordSet(ttl=60, a_records=[ARecord(ipv4_address="10.77.1.100")])
    zones.record_sets.create_or_update(GROUP, "life.azure.test", "agents", "A", body)
    hosts = cloud.cloud.services.hosts
    assert isinstance(hosts, fakes.Hosts)
    assert hosts.names["agents.life.azure.test"] == "10.77.1.100"
    listed = {
        (r.name, r.type.rpartition("/")[2])
        for r in zones.record_sets.list_by_dns_zone(GROUP, "life.azure.test")
    }
    assert listed == {("@", "NS"), ("@", "SOA"), ("agents", "A")}
    zones.zones.begin_delete(GROUP, "life.azure.test").result()
    assert "agents.life.azure.test" not in hosts.names


def test_private_zones_and_links(cloud: Served) -> None:
    networks, zones = client(cloud, NetworkManagementClient), client(cloud, PrivateDnsManagementClient)
    space = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}}}
    network_id = networks.virtual_networks.begin_create_or_update(GROUP, "linked", space).result().id
    name = "privatelink.vaultcore.azure.test"
    zones.private_zones.begin_create_or_update(GROUP, name, {"location": "global"}).result()
    link = {
        "location": "global",
        "properties": {"virtualNetwork": {"id": network_id}, "registrationEnabled": False},
    }
    zones.virtual_network_links.begin_create_or_update(GROUP, name, "link", link).result()
    assert zones.private_zones.get(GROUP, name).properties.number_of_virtual_network_links == 1
    with pytest.raises(HttpResponseError, match="nested resources"):
        zones.private_zones.begin_delete(GROUP, name).result()
    zones.virtual_network_links.begin_delete(GROUP, name, "link").result()
    zones.private_zones.begin_delete(GROUP, name).result()


def test_a_workspace_through_its_life(cloud: Served) -> None:
    workspaces = client(cloud, LogAnalyticsManagementClient)
    body = {"location": "westeurope", "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 30}}
    made = workspaces.workspaces.begin_create_or_update(GROUP, "log-life", body).result()
    assert workspaces.shared_keys.get_shared_keys(GROUP, "log-life").primary_shared_key
    workspaces.workspaces.begin_delete(GROUP, "log-life").result()
    assert [w.name for w in workspaces.deleted_workspaces.list()] == ["log-life"]
    back = workspaces.workspaces.begin_create_or_update(GROUP, "log-life", body).result()
    assert back.properties.customer_id == made.properties.customer_id
    assert list(workspaces.deleted_workspaces.list()) == []
    workspaces.workspaces.begin_delete(GROUP, "log-life").result()


def test_a_deleted_group_takes_everything_along(cloud: Served) -> None:
    groups = client(cloud, ResourceManagementClient).resource_groups
    groups.create_or_update("rg-short", {"location": "westeurope"})
    networks = client(cloud, NetworkManagementClient)
    rules: Any = {"location": "westeurope", "properties": {"securityRules": []}}
    guard = networks.network_security_groups.begin_create_or_update("rg-short", "nsg", rules).result()
    subnet = {
        "name": "a",
        "properties": {"addressPrefix": "10.3.0.0/24", "networkSecurityGroup": {"id": guard.id}},
    }
    body = {
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.3.0.0/16"]}, "subnets": [subnet]},
    }
    networks.virtual_networks.begin_create_or_update("rg-short", "vnet", body).result()
    with pytest.raises(HttpResponseError, match="InUseNetworkSecurityGroupCannotBeDeleted"):
        networks.network_security_groups.begin_delete("rg-short", "nsg").result()
    vault = {
        "location": "westeurope",
        "properties": {
            "tenantId": TENANT_ID,
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
        },
    }
    vaults = client(cloud, KeyVaultManagementClient)
    vaults.vaults.begin_create_or_update("rg-short", "kv-short", vault).result()
    vaults.secrets.create_or_update("rg-short", "kv-short", "one", {"properties": {"value": "1"}})
    groups.begin_delete("rg-short").result()
    assert not groups.check_existence("rg-short")
    assert "kv-short" in [v.name for v in vaults.vaults.list_deleted()]
