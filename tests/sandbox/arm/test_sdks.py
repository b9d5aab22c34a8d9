"""The official clients as judges: azure-identity and azure-mgmt-* against the served ARM, unmodified."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resource.resources import ResourceManagementClient

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, managedidentity, resources
from sandbox.config import SUBSCRIPTION_ID
from tests.sandbox.served import Served, served

SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
ROLES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
READER = f"{ROLES}/acdd72a7-3385-48ef-bd42-f606fba81ae7"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with served(tmp_path, monkeypatch, catalogue(), [resources, authorization, managedidentity]) as found:
        yield found


def client(cloud: Served, kind: Any, **given: str) -> Any:
    """A management client that acts as the deployer, or as the given application."""
    keys = {**cloud.deployer, **given}
    credential = ClientSecretCredential(
        keys["tenantId"],
        keys["clientId"],
        keys["clientSecret"],
        authority="https://login.azure.test",
        disable_instance_discovery=True,
    )
    scopes = ["https://management.azure.test/.default"]
    return kind(
        credential,
        SUBSCRIPTION_ID,
        base_url="https://management.azure.test",
        credential_scopes=scopes,
        retry_total=0,
    )


def test_groups(cloud: Served) -> None:
    arm = client(cloud, ResourceManagementClient)
    made = arm.resource_groups.create_or_update("rg", {"location": "westeurope", "tags": {"a": "b"}})
    assert (made.name, made.properties.provisioning_state) == ("rg", "Succeeded")
    assert arm.resource_groups.check_existence("rg")
    assert not arm.resource_groups.check_existence("other")
    updated = arm.resource_groups.update("rg", {"tags": {"c": "d"}})
    assert updated.tags["c"] == "d"
    assert [group.name for group in arm.resource_groups.list()] == ["rg"]
    assert [group.name for group in arm.resource_groups.list(filter="tagName eq 'c'")] == ["rg"]
    arm.resource_groups.begin_delete("rg").result()
    with pytest.raises(ResourceNotFoundError, match="ResourceGroupNotFound"):
        arm.resource_groups.get("rg")


def test_providers_and_generic_resources(cloud: Served) -> None:
    arm = client(cloud, ResourceManagementClient)
    provider = arm.providers.get("Microsoft.Network")
    assert provider.registration_state == "Registered"
    assert "virtualNetworks" in {kind.resource_type for kind in provider.resource_types}
    assert "Microsoft.KeyVault" in {found.namespace for found in arm.providers.list()}
    arm.resource_groups.create_or_update("rg", {"location": "westeurope"})
    network = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"
    body = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    made = arm.resources.begin_create_or_update_by_id(network, body, api_version="2024-05-01").result()
    assert made.properties["provisioningState"] == "Succeeded"
    # What a GET shows may be sent back, and a PATCH changes what it names.
    shown = arm.resources.get_by_id(network, api_version="2024-05-01")
    again = arm.resources.begin_create_or_update_by_id(network, shown, api_version="2024-05-01").result()
    assert again.properties == made.properties
    patch = {"tags": {"a": "b"}}
    patched = arm.resources.begin_update_by_id(network, patch, api_version="2024-05-01").result()
    assert (patched.tags, patched.properties) == ({"a": "b"}, made.properties)
    assert [found.id for found in arm.resources.list_by_resource_group("rg")] == [network]
    assert arm.resources.check_existence_by_id(network, api_version="2024-05-01")
    broken = {**body, "properties": {"addresSpace": {}}}
    with pytest.raises(HttpResponseError) as refusal:
        arm.resources.begin_create_or_update_by_id(network, broken, api_version="2024-05-01").result()
    assert refusal.value.status_code == 400
    assert "addresSpace" in str(refusal.value)
    arm.resources.begin_delete_by_id(network, api_version="2024-05-01").result()
    assert not arm.resources.check_existence_by_id(network, api_version="2024-05-01")


def test_tags(cloud: Served) -> None:
    arm = client(cloud, ResourceManagementClient)
    scope = arm.resource_groups.create_or_update("rg", {"location": "westeurope", "tags": {"a": "1"}}).id
    patch = {"operation": "Merge", "properties": {"tags": {"b": "2"}}}
    merged = arm.tags.begin_update_at_scope(scope, patch).result()
    assert merged.properties.tags == {"a": "1", "b": "2"}
    assert arm.resource_groups.get("rg").tags == {"a": "1", "b": "2"}
    arm.tags.begin_delete_at_scope(scope).result()
    assert arm.tags.get_at_scope(scope).properties.tags == {}


def test_managed_identities(cloud: Served) -> None:
    client(cloud, ResourceManagementClient).resource_groups.create_or_update("rg", {"location": "westeurope"})
    msi = client(cloud, ManagedServiceIdentityClient)
    made = msi.user_assigned_identities.create_or_update("rg", "id-agent", {"location": "westeurope"})
    assert made.principal_id != made.client_id
    again = msi.user_assigned_identities.create_or_update("rg", "id-agent", {"location": "westeurope"})
    assert (again.principal_id, again.client_id) == (made.principal_id, made.client_id)
    trust = {
        "properties": {
            "issuer": "https://westeurope.oic.prod-aks.azure.test/t/c/",
            "subject": "system:serviceaccount:agents:agent",
            "audiences": ["api://AzureADTokenExchange"],
        }
    }
    credentials = msi.federated_identity_credentials
    assert credentials.create_or_update("rg", "id-agent", "k8s", trust).subject.endswith(":agent")
    with pytest.raises(HttpResponseError, match="already exists"):
        credentials.create_or_update("rg", "id-agent", "twin", trust)
    assert [found.name for found in credentials.list("rg", "id-agent")] == ["k8s"]
    credentials.delete("rg", "id-agent", "k8s")
    msi.user_assigned_identities.delete("rg", "id-agent")
    renewed = msi.user_assigned_identities.create_or_update("rg", "id-agent", {"location": "westeurope"})
    assert renewed.principal_id != made.principal_id


def test_role_assignments(cloud: Served) -> None:
    client(cloud, ResourceManagementClient).resource_groups.create_or_update("rg", {"location": "westeurope"})
    msi = client(cloud, ManagedServiceIdentityClient)
    identity = msi.user_assigned_identities.create_or_update("rg", "id-agent", {"location": "westeurope"})
    roles = client(cloud, AuthorizationManagementClient)
    scope, name = f"{SUBSCRIPTION}/resourceGroups/rg", str(uuid.uuid4())
    body = {
        "role_definition_id": READER,
        "principal_id": identity.principal_id,
        "principal_type": "ServicePrincipal",
    }
    made = roles.role_assignments.create(scope, name, body)
    assert (made.scope, made.principal_id, made.name) == (scope, identity.principal_id, name)
    assert roles.role_assignments.create(scope, name, body).id == made.id
    with pytest.raises(HttpResponseError) as refusal:
        roles.role_assignments.create(scope, str(uuid.uuid4()), body)
    assert refusal.value.status_code == 409
    assert "RoleAssignmentExists" in str(refusal.value)
    mine = f"principalId eq '{identity.principal_id}'"
    assigned = roles.role_assignments
    assert [each.name for each in assigned.list_for_subscription(filter=mine)] == [name]
    assert name not in [each.name for each in assigned.list_for_subscription(filter="atScope()")]
    inherited = {each.scope for each in assigned.list_for_resource_group("rg", filter="atScope()")}
    assert inherited == {scope, SUBSCRIPTION}
    assigned.delete(scope, name)
    assert list(assigned.list_for_subscription(filter=mine)) == []


def test_role_definitions(cloud: Served) -> None:
    roles = client(cloud, AuthorizationManagementClient)
    owner = list(roles.role_definitions.list(SUBSCRIPTION, filter="roleName eq 'Owner'"))
    assert [(role.name, role.role_type) for role in owner] == [
        ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "BuiltInRole")
    ]
    assert roles.role_definitions.get_by_id(READER).role_name == "Reader"
    name = str(uuid.uuid4())
    body = {
        "role_name": "Part reader",
        "description": "Reads parts",
        "role_type": "CustomRole",
        "permissions": [{"actions": ["Microsoft.Test/*/read"]}],
        "assignable_scopes": [SUBSCRIPTION],
    }
    made = roles.role_definitions.create_or_update(SUBSCRIPTION, name, body)
    assert made.permissions[0].actions == ["Microsoft.Test/*/read"]
    custom = list(roles.role_definitions.list(SUBSCRIPTION, filter="type eq 'CustomRole'"))
    assert [role.role_name for role in custom] == ["Part reader"]
    with pytest.raises(HttpResponseError, match="RoleDefinitionWithSameNameExists"):
        roles.role_definitions.create_or_update(SUBSCRIPTION, str(uuid.uuid4()), body)
    roles.role_definitions.delete(SUBSCRIPTION, name)
    assert list(roles.role_definitions.list(SUBSCRIPTION, filter="type eq 'CustomRole'")) == []
