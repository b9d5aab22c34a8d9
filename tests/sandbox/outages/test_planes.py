"""Vaults, models and Cosmos DB during an outage, through their own clients on the served cloud."""

from __future__ import annotations

import shutil
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.cosmos import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError
from azure.identity import ClientSecretCredential, get_bearer_token_provider
from azure.keyvault.secrets import SecretClient
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, cognitiveservices, documentdb, keyvault, managedidentity, resources
from sandbox.azure.documentdb import builtin_roles
from sandbox.config import SUBSCRIPTION_ID, Config
from sandbox.entra import principals
from sandbox.toolchain.toolchain import Toolchain
from tests.sandbox.azure import fakes
from tests.sandbox.azure.cognitiveservices.conftest import account_body as model_body
from tests.sandbox.azure.cognitiveservices.conftest import deployment_body
from tests.sandbox.azure.keyvault.test_secrets import vault_body
from tests.sandbox.azure.sql.conftest import client
from tests.sandbox.served import Served, served
from tests.waiting import until

pytestmark = pytest.mark.slow

GROUP = "rg-outage"
RESOURCES = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{GROUP}"
PROVIDERS = f"{RESOURCES}/providers"
WEST, NORTH = "westeurope", "northeurope"
SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
#: Seconds that clients wait here.
PATIENCE = 1.0


@dataclass
class Azure:
    cloud: Served
    credential: ClientSecretCredential
    cosmos: CosmosDBManagementClient

    def put(self, path: str, body: dict[str, Any], version: str) -> None:
        token = self.credential.get_token("https://management.azure.test/.default").token
        answer = httpx.put(
            f"https://management.azure.test{path}?api-version={version}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            verify=self.trusted,
        )
        assert answer.status_code in (200, 201, 202), answer.text

    @property
    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(Config(state=self.cloud.state).ca_bundle))

    @property
    def object_id(self) -> str:
        directory = self.cloud.cloud.services.principals
        assert isinstance(directory, principals.Directory)
        found = directory.by_client(self.cloud.deployer["clientId"])
        assert found is not None
        return found.object_id

    def grant(self, role: str, number: int) -> None:
        name = f"{number:08d}-0000-0000-0000-000000000000"
        definition = (
            f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        )
        properties = {
            "roleDefinitionId": definition,
            "principalId": self.object_id,
            "principalType": "ServicePrincipal",
        }
        self.put(
            f"{RESOURCES}/providers/Microsoft.Authorization/roleAssignments/{name}",
            {"properties": properties},
            "2022-04-01",
        )

    def begin(self, region: str = WEST) -> None:
        self.cloud.command("outage begin", region=region)


@pytest.fixture(scope="module")
def azure() -> Iterator[Azure]:
    genuine = Config()
    if not (genuine.cache / "bin" / "cosmosdb-server").exists():
        pytest.skip("needs the toolchain's cosmosdb-server: run `make up` once")
    state = Path(tempfile.mkdtemp(prefix="outage-"))
    Toolchain(genuine.cache / "bin", {}, {}, genuine.cache).save(Config(state=state))
    modules = [resources, authorization, managedidentity, keyvault, cognitiveservices, documentdb]
    with pytest.MonkeyPatch.context() as patch, served(state, patch, catalogue(), modules) as cloud:
        client(cloud, ResourceManagementClient).resource_groups.create_or_update(GROUP, {"location": WEST})
        keys = cloud.deployer
        credential = ClientSecretCredential(
            keys["tenantId"],
            keys["clientId"],
            keys["clientSecret"],
            authority="https://login.azure.test",
            disable_instance_discovery=True,
        )
        found = Azure(cloud, credential, client(cloud, CosmosDBManagementClient))
        found.grant(SECRETS_OFFICER, 1)
        found.grant(OPENAI_USER, 2)
        yield found
        supervisor = cloud.cloud.services.supervisor
        assert isinstance(supervisor, fakes.Supervisor)
        supervisor.end()
    shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(autouse=True)
def ends(azure: Azure) -> Iterator[None]:
    """Every outage ends with its test."""
    yield
    for one in azure.cloud.command("outage list"):
        azure.cloud.command("outage end", region=one["region"])


def test_a_vault_is_read_only(azure: Azure) -> None:
    azure.put(f"{PROVIDERS}/Microsoft.KeyVault/vaults/kv-outage", vault_body(), "2023-07-01")
    url = "https://kv-outage.vault.azure.test"
    with SecretClient(url, azure.credential, retry_total=0) as vault:
        vault.set_secret("webhook", "one")
        azure.begin()
        assert vault.get_secret("webhook").value == "one"
        assert [one.name for one in vault.list_properties_of_secrets()] == ["webhook"]
        assert vault.backup_secret("webhook")
        with pytest.raises(HttpResponseError, match="read-only mode") as refused:
            vault.set_secret("webhook", "two")
        assert refused.value.status_code == 503
        with pytest.raises(HttpResponseError, match="read-only mode"):
            vault.begin_delete_secret("webhook")
        azure.begin(NORTH)
        with (
            SecretClient(url, azure.credential, retry_total=0) as other,
            pytest.raises(ServiceRequestError, match="SSL"),
        ):
            other.get_secret("webhook")
        with pytest.raises(ServiceResponseError, match="timed out"):
            vault.get_secret("webhook", read_timeout=PATIENCE)
        for region in (WEST, NORTH):
            azure.cloud.command("outage end", region=region)
        vault.set_secret("webhook", "two")
        assert vault.get_secret("webhook").value == "two"


def test_models_are_silent_and_the_other_regions_answer(azure: Azure) -> None:
    for name, region in (("oai-west", WEST), ("oai-north", NORTH)):
        account = f"{PROVIDERS}/Microsoft.CognitiveServices/accounts/{name}"
        body = {**model_body(customSubDomainName=name), "location": region}
        azure.put(account, body, "2024-10-01")
        azure.put(f"{account}/deployments/chat", deployment_body(), "2024-10-01")
    provider = get_bearer_token_provider(azure.credential, "https://cognitiveservices.azure.com/.default")

    def ask(name: str) -> str | None:
        with openai.AzureOpenAI(
            azure_endpoint=f"https://{name}.openai.azure.test",
            azure_ad_token_provider=provider,
            api_version="2024-10-21",
            max_retries=0,
            timeout=PATIENCE,
        ) as asking:
            messages: Any = [{"role": "user", "content": "hello"}]
            return asking.chat.completions.create(model="chat", messages=messages).choices[0].message.content

    assert ask("oai-west")
    azure.begin()
    with pytest.raises(openai.APIConnectionError):
        ask("oai-west")
    assert ask("oai-north")
    azure.cloud.command("outage end", region=WEST)
    assert ask("oai-west")


def make_account(azure: Azure, name: str, **properties: Any) -> None:
    """In both regions, with a container that the deployer may read and write."""
    places = [{"locationName": WEST, "failoverPriority": 0}, {"locationName": NORTH, "failoverPriority": 1}]
    body = {
        "location": WEST,
        "properties": {"databaseAccountOfferType": "Standard", "locations": places, **properties},
    }
    ended: dict[str, Any] = {"polling_interval": 0}
    made: Any = azure.cosmos
    made.database_accounts.begin_create_or_update(GROUP, name, body, **ended).result()
    place, children = (GROUP, name, "AgentsDB"), made.sql_resources
    children.begin_create_update_sql_database(*place, _resource({"id": "AgentsDB"}), **ended).result()
    container = {"id": "Events", "partitionKey": {"paths": ["/agent"], "kind": "Hash", "version": 2}}
    children.begin_create_update_sql_container(*place, "Events", _resource(container), **ended).result()
    account = f"{PROVIDERS}/Microsoft.DocumentDB/databaseAccounts/{name}"
    role = {
        "roleDefinitionId": f"{account}/sqlRoleDefinitions/{builtin_roles.CONTRIBUTOR}",
        "principalId": azure.object_id,
        "scope": account,
    }
    assignment = ("aaaaaaaa-0000-0000-0000-000000000001", GROUP, name, {"properties": role})
    children.begin_create_update_sql_role_assignment(*assignment, **ended).result()


def _resource(content: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"resource": content, "options": {}}}


def events(azure: Azure, name: str) -> ContainerProxy:
    """Of a client that prefers West Europe, as an agent there does, and does not wait long."""
    asking = CosmosClient(
        f"https://{name}.documents.azure.test:443/",
        azure.credential,
        preferred_locations=["westeurope", "northeurope"],
        connection_timeout=PATIENCE,
        read_timeout=PATIENCE,
        retry_total=2,
        retry_connect=1,
        retry_read=1,
    )
    return asking.get_database_client("AgentsDB").get_container_client("Events")


def comes_through(container: ContainerProxy, number: str) -> bool:
    try:
        container.create_item({"id": number, "agent": "a"})
    except (ServiceRequestError, ServiceResponseError):
        # Another connection that it still had leads to what is lost: that write is lost, too.
        return False
    return True


def write_region(azure: Azure, name: str) -> list[str | None]:
    found = azure.cosmos.database_accounts.get(GROUP, name)
    return [place.location_name for place in found.write_locations or ()]


def test_a_managed_account_moves_its_writes(azure: Azure) -> None:
    make_account(azure, "cosmos-managed", enableAutomaticFailover=True)
    known = events(azure, "cosmos-managed")
    known.create_item({"id": "1", "agent": "a"})
    azure.begin()
    assert write_region(azure, "cosmos-managed") == [NORTH]
    # A client that is connected loses the write that it makes first; it may have been done, so it is told.
    with pytest.raises(ServiceResponseError):
        known.create_item({"id": "lost", "agent": "a"})
    # It finds out where writes go now when it looks again, by default every five minutes.
    known.client_connection._global_endpoint_manager.refresh_time_interval_in_ms = 200
    until(lambda: comes_through(known, "2"))
    # One that starts now knows at once.
    events(azure, "cosmos-managed").create_item({"id": "3", "agent": "a"})
    assert known.read_item("1", "a")["id"] == "1"
    azure.cloud.command("outage end", region=WEST)
    assert write_region(azure, "cosmos-managed") == [NORTH], "nothing fails back by itself"
    container = events(azure, "cosmos-managed")
    container.create_item({"id": "4", "agent": "a"})
    assert sorted(one["id"] for one in container.read_all_items()) == ["1", "2", "3", "4"]


def test_writes_of_another_account_wait_for_somebody_to_move_them(azure: Azure) -> None:
    make_account(azure, "cosmos-manual")
    known = events(azure, "cosmos-manual")
    known.create_item({"id": "1", "agent": "a"})
    azure.begin()
    assert write_region(azure, "cosmos-manual") == [WEST]
    assert known.read_item("1", "a")["id"] == "1", "the other region is read from"
    with pytest.raises((CosmosHttpResponseError, ServiceRequestError, ServiceResponseError)):
        known.create_item({"id": "2", "agent": "a"})
    accounts: Any = azure.cosmos.database_accounts
    policies = [{"locationName": NORTH, "failoverPriority": 0}, {"locationName": WEST, "failoverPriority": 1}]
    with pytest.raises(HttpResponseError, match="experiencing an outage"):
        accounts.begin_failover_priority_change(
            GROUP, "cosmos-manual", {"failoverPolicies": policies}, retry_total=0
        )
    with pytest.raises(HttpResponseError, match="is online"):
        accounts.begin_offline_region(GROUP, "cosmos-manual", {"region": NORTH})
    accounts.begin_offline_region(GROUP, "cosmos-manual", {"region": WEST}, polling_interval=0).result()
    assert write_region(azure, "cosmos-manual") == [NORTH]
    events(azure, "cosmos-manual").create_item({"id": "2", "agent": "a"})
    azure.cloud.command("outage end", region=WEST)
    # Back by plan, once both regions are there.
    back = [{**one, "failoverPriority": 1 - int(str(one["failoverPriority"]))} for one in policies]
    accounts.begin_failover_priority_change(
        GROUP, "cosmos-manual", {"failoverPolicies": back}, polling_interval=0
    ).result()
    assert write_region(azure, "cosmos-manual") == [WEST]


def test_a_region_that_is_only_read_says_so(azure: Azure) -> None:
    """Without an outage too: 403 with substatus 3, on which clients look up where writes go."""
    make_account(azure, "cosmos-read")
    token = azure.credential.get_token("https://cosmos-read.documents.azure.test/.default").token
    answer = httpx.post(
        "https://cosmos-read-northeurope.documents.azure.test/dbs/AgentsDB/colls/Events/docs",
        json={"id": "1", "agent": "a"},
        headers={
            "authorization": f"type%3daad%26ver%3d1.0%26sig%3d{token}",
            "x-ms-version": "2020-07-15",
            "x-ms-documentdb-partitionkey": '["a"]',
        },
        verify=azure.trusted,
    )
    assert (answer.status_code, answer.headers["x-ms-substatus"]) == (403, "3")
    assert "cannot be performed at this region" in answer.text
