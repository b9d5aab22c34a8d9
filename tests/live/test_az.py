"""The Azure CLI, unmodified, on what the program made."""

from __future__ import annotations

import uuid

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


def test_role_assignments(sandbox: Sandbox) -> None:
    listed = sandbox.az("role", "assignment", "list", "--all")
    assert {"AcrPull", "Key Vault Secrets User", "Cognitive Services OpenAI User"} <= {
        found["roleDefinitionName"] for found in listed
    }


def test_what_does_not_exist_is_said_as_azure_says_it(sandbox: Sandbox) -> None:
    result = sandbox.run("az", "group", "show", "-n", "rg-nowhere", check=False)
    assert result.code == 3
    assert "ResourceGroupNotFound" in result.err
