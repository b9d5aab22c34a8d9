"""The Azure CLI, unmodified, on what the program made."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from tests.sandboxed import Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

GROUP = "rg-agents-dev"


def test_account_and_group(sandbox: Sandbox) -> None:
    assert sandbox.az("account", "show")["state"] == "Enabled"
    group = sandbox.az("group", "show", "-n", GROUP)
    assert group["properties"]["provisioningState"] == "Succeeded"
    assert group["type"] == "Microsoft.Resources/resourceGroups"


def test_resource_list_has_every_kind(sandbox: Sandbox) -> None:
    kinds = {resource["type"].lower() for resource in sandbox.az("resource", "list", "-g", GROUP)}
    assert {
        "microsoft.containerservice/managedclusters",
        "microsoft.containerregistry/registries",
        "microsoft.documentdb/databaseaccounts",
        "microsoft.keyvault/vaults",
        "microsoft.cognitiveservices/accounts",
    } <= kinds


def test_aks(sandbox: Sandbox) -> None:
    cluster = sandbox.az("aks", "show", "-g", GROUP, "-n", "aks-agents-dev")
    assert cluster["powerState"]["code"] == "Running"
    assert cluster["currentKubernetesVersion"].startswith("1.34.")
    assert cluster["oidcIssuerProfile"]["issuerUrl"].startswith("https://")
    modes = {pool["mode"]: pool["name"] for pool in cluster["agentPoolProfiles"]}
    assert modes["System"] == "system"
    assert modes["User"].startswith("user")


def test_any_resource_is_shown_by_its_type(sandbox: Sandbox) -> None:
    kind = ("--resource-type", "Microsoft.Insights/components")
    component = sandbox.az("resource", "show", "-g", GROUP, "-n", "appi-agents-dev", *kind)
    assert component["properties"]["AppId"]


def test_registry(sandbox: Sandbox) -> None:
    registry = sandbox.az("acr", "show", "-n", "acragentsdev")
    assert registry["loginServer"] == "acragentsdev.azurecr.azure.test"
    assert registry["adminUserEnabled"] is False


def test_cosmos(sandbox: Sandbox) -> None:
    account = sandbox.az("cosmosdb", "show", "-g", GROUP, "-n", "cosmos-agents-dev")
    assert account["readLocations"][0]["failoverPriority"] == 0
    assert account["backupPolicy"]["type"] == "Continuous"
    place = ["-g", GROUP, "-a", "cosmos-agents-dev", "-d", "AgentsDB", "-n", "Events"]
    container = sandbox.az("cosmosdb", "sql", "container", "show", *place)
    assert container["resource"]["indexingPolicy"]["indexingMode"] == "consistent"
    sandbox.az("cosmosdb", "sql", "container", "throughput", "update", *place, "--throughput", "800")
    shown = sandbox.az("cosmosdb", "sql", "container", "throughput", "show", *place)
    assert shown["resource"]["throughput"] == 800
    sandbox.pulumi("preview", "-s", "dev", "--refresh", "--expect-no-changes")


def test_key_vault_secret_life(sandbox: Sandbox) -> None:
    name = f"canary-{uuid.uuid4().hex[:8]}"
    at = ["--vault-name", "kv-agents-dev", "--name", name]
    assert sandbox.az("keyvault", "secret", "set", *at, "--value", "v1")["value"] == "v1"
    assert sandbox.az("keyvault", "secret", "show", *at)["value"] == "v1"
    listed = sandbox.az("keyvault", "secret", "list", "--vault-name", "kv-agents-dev")
    assert name in {secret["name"] for secret in listed}
    sandbox.az("keyvault", "secret", "delete", *at)
    gone = sandbox.run("az", "keyvault", "secret", "show", *at, check=False)
    assert gone.code != 0
    assert "SecretNotFound" in gone.err
    sandbox.az("keyvault", "secret", "recover", *at)
    assert sandbox.az("keyvault", "secret", "show", *at)["value"] == "v1"


def test_openai(sandbox: Sandbox) -> None:
    account = sandbox.az("cognitiveservices", "account", "show", "-g", GROUP, "-n", "oai-agents-dev")
    assert account["properties"]["provisioningState"] == "Succeeded"
    assert account["properties"]["disableLocalAuth"] is True


def test_template_deployments(sandbox: Sandbox, tmp_path: Path) -> None:
    """Their life: validated, made twice, shown, listed, forgotten; what they made stays."""
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    registry = "[resourceId('Microsoft.ContainerRegistry/registries', 'acragentsdev')]"
    identity = {
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "apiVersion": "2023-01-31",
        "name": "[parameters('name')]",
        "location": "[resourceGroup().location]",
    }
    template = {
        "$schema": schema,
        "contentVersion": "1.0.0.0",
        "parameters": {"name": {"type": "string"}},
        "resources": [identity],
        "outputs": {"registry": {"type": "string", "value": registry}},
    }
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))
    name = f"id-{uuid.uuid4().hex[:8]}"
    where = ("-g", GROUP, "-n", name)
    given = ("--template-file", str(file), "--parameters", f"name={name}")
    checked = sandbox.az("deployment", "group", "validate", *where, *given)
    assert checked["properties"]["provisioningState"] == "Succeeded"
    for _ in range(2):
        made = sandbox.az("deployment", "group", "create", *where, *given)
        assert made["properties"]["provisioningState"] == "Succeeded"
        assert made["properties"]["outputs"]["registry"]["value"].endswith("/registries/acragentsdev")
    assert sandbox.az("deployment", "group", "show", *where)["properties"]["mode"] == "Incremental"
    assert name in {one["name"] for one in sandbox.az("deployment", "group", "list", "-g", GROUP)}
    assert len(sandbox.az("deployment", "operation", "group", "list", "-g", GROUP, "-n", name)) == 1
    sandbox.run("az", "deployment", "group", "delete", *where)
    assert sandbox.az("identity", "show", *where)["name"] == name
    sandbox.run("az", "identity", "delete", *where)
    template["variables"] = {"low": "[toLower('A')]"}
    file.write_text(json.dumps(template))
    refused = sandbox.run("az", "deployment", "group", "create", *where, *given, check=False)
    assert refused.code != 0
    assert "InvalidTemplate" in refused.err
    assert "toLower" in refused.err


def test_role_assignments(sandbox: Sandbox) -> None:
    listed = sandbox.az("role", "assignment", "list", "--all")
    assert {"AcrPull", "Key Vault Secrets User", "Cognitive Services OpenAI User"} <= {
        found["roleDefinitionName"] for found in listed
    }


def test_what_does_not_exist_is_said_as_azure_says_it(sandbox: Sandbox) -> None:
    result = sandbox.run("az", "group", "show", "-n", "rg-nowhere", check=False)
    assert result.code == 3
    assert "ResourceGroupNotFound" in result.err
