"""The control plane: names, soft delete and restore, quota."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.azure.cognitiveservices.accounts import AccountHandler
from sandbox.azure.cognitiveservices.deployments import DeploymentHandler
from tests.sandbox.azure.cognitiveservices.conftest import ACCOUNT, URL, account_body, deployment_body
from tests.sandbox.azure.conftest import GROUP, World

HANDLERS: list[Any] = [AccountHandler, DeploymentHandler]


def test_computed_properties_stay(world: World) -> None:
    first = world.put(AccountHandler, ACCOUNT, account_body())
    assert first.properties["endpoint"] == f"{URL}/"
    assert "oai-agents-dev.openai.azure.test" in world.hosts.names
    again = world.put(AccountHandler, ACCOUNT, account_body(publicNetworkAccess="Disabled"))
    for name in ("internalId", "dateCreated", "endpoint"):
        assert again.properties[name] == first.properties[name]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "Face"}, "InvalidApiSetId"),
        ({"sku": {"name": "F0"}}, "InvalidSkuId"),
        ({"properties": {"restore": True}}, "CanNotRestoreANonExistentResource"),
    ],
)
def test_what_is_refused(world: World, change: dict[str, Any], code: str) -> None:
    with pytest.raises(ArmError) as refused:
        world.put(AccountHandler, ACCOUNT, {**account_body(), **change})
    assert refused.value.code == code


def test_subdomains_are_unique_and_fixed(world: World) -> None:
    account = world.put(AccountHandler, ACCOUNT, account_body())
    with pytest.raises(ArmError, match="cannot be changed"):
        world.put(AccountHandler, ACCOUNT, account_body(customSubDomainName="another"))
    other = f"{GROUP}-other/providers/Microsoft.CognitiveServices/accounts/other"
    for _ in range(2):
        with pytest.raises(ArmError) as taken:
            world.put(AccountHandler, other, account_body(customSubDomainName="OAI-agents-dev"))
        assert taken.value.code == "CustomDomainInUse"
        if world.store.get(account.id):
            world.delete(HANDLERS, account)


def test_soft_delete_restore_and_purge(world: World) -> None:
    account = world.put(AccountHandler, ACCOUNT, {**account_body(), "tags": {"a": "b"}})
    world.put(DeploymentHandler, f"{ACCOUNT}/deployments/chat", deployment_body())
    world.delete(HANDLERS, account)
    with pytest.raises(ArmError) as refused:
        world.put(AccountHandler, ACCOUNT, account_body())
    assert refused.value.code == "FlagMustBeSetForRestore"
    where = {"location": "westeurope", "group": "RG", "name": "oai-agents-dev"}
    shown = world.operate(AccountHandler, "GET", "/deletedAccounts/{name}", **where).body
    assert world.operate(AccountHandler, "GET", "/deletedAccounts").body["value"] == [shown]
    assert shown["properties"]["scheduledPurgeDate"] > shown["properties"]["deletionDate"]
    restored = world.put(AccountHandler, ACCOUNT, account_body(restore=True))
    assert restored.properties["internalId"] == account.properties["internalId"]
    assert not {"restore", "deletionDate", "scheduledPurgeDate"} & set(restored.properties)
    assert world.operate(AccountHandler, "GET", "/deletedAccounts").body["value"] == []
    world.delete(HANDLERS, restored)
    world.operate(AccountHandler, "DELETE", "/deletedAccounts/{name}", **where)
    fresh = world.put(AccountHandler, ACCOUNT, account_body())
    assert fresh.properties["internalId"] != account.properties["internalId"]


def test_a_restoration_need_not_repeat_what_the_account_is(world: World) -> None:
    world.delete(HANDLERS, world.put(AccountHandler, ACCOUNT, {**account_body(), "tags": {"a": "b"}}))
    restored = world.put(AccountHandler, ACCOUNT, {"location": "westeurope", "properties": {"restore": True}})
    assert (restored.body["kind"], restored.body["sku"]["name"], restored.body["tags"]) == (
        "OpenAI",
        "S0",
        {"a": "b"},
    )
    assert restored.properties["endpoint"] == f"{URL}/"
    assert restored.properties["disableLocalAuth"] is True


def test_models_and_quota_are_listed(world: World) -> None:
    world.put(AccountHandler, ACCOUNT, account_body())
    world.put(DeploymentHandler, f"{ACCOUNT}/deployments/a", deployment_body(capacity=600))
    where = {"group": "rg", "account": "oai-agents-dev"}
    models = world.operate(AccountHandler, "GET", "/accounts/{account}/models", **where).body["value"]
    assert ("gpt-4o", "2024-11-20") in {(model["name"], model["version"]) for model in models}
    region = world.operate(AccountHandler, "GET", "/locations/{location}/usages", location="westeurope").body[
        "value"
    ]
    account = world.operate(AccountHandler, "GET", "/accounts/{account}/usages", **where).body["value"]
    assert region == account
    assert {u["name"]["value"]: u["currentValue"] for u in region}["OpenAI.Standard.gpt-4o"] == 600
    with pytest.raises(ArmError, match="not found"):
        world.operate(AccountHandler, "GET", "/accounts/{account}/skus", group="rg", account="none")


def test_keys_are_refused_without_local_auth(world: World) -> None:
    account = world.put(AccountHandler, ACCOUNT, account_body())
    for action, body in (("listKeys", {}), ("regenerateKey", {"keyName": "Key1"})):
        with pytest.raises(ArmError, match="disableLocalAuth is set to be true"):
            world.act(AccountHandler, action, account, body)


def test_a_deployment_says_its_limits(world: World) -> None:
    world.put(AccountHandler, ACCOUNT, account_body())
    made = world.put(DeploymentHandler, f"{ACCOUNT}/deployments/chat", deployment_body(capacity=10))
    assert made.properties["model"]["version"] == "2024-11-20"
    limits = {
        limit["key"]: (limit["count"], limit["renewalPeriod"]) for limit in made.properties["rateLimits"]
    }
    assert limits == {"request": (10, 10), "token": (10_000, 60)}


def test_unknown_models_and_skus_are_refused(world: World) -> None:
    world.put(AccountHandler, ACCOUNT, account_body())
    path = f"{ACCOUNT}/deployments/chat"
    with pytest.raises(ArmError, match="Name:gpt-99,Version:' of account deployment is not supported"):
        world.put(DeploymentHandler, path, deployment_body("gpt-99"))
    with pytest.raises(ArmError, match="specified SKU 'Huge'"):
        world.put(DeploymentHandler, path, deployment_body(sku="Huge"))


def test_a_model_near_its_end_is_kept_from_new_customers(world: World) -> None:
    world.put(AccountHandler, ACCOUNT, account_body())
    path = f"{ACCOUNT}/deployments/chat"
    with pytest.raises(ArmError, match="is in deprecating state and cannot be used for new") as refused:
        world.put(DeploymentHandler, path, deployment_body("gpt-4o-mini"))
    assert refused.value.code == "ServiceModelDeprecating"
    had = world.put(DeploymentHandler, path, deployment_body("gpt-4.1-mini"))
    had.properties["model"] = {"format": "OpenAI", "name": "gpt-4o-mini", "version": "2024-07-18"}
    world.store.save(had)
    world.put(DeploymentHandler, path, deployment_body("gpt-4o-mini", capacity=20))
    world.put(DeploymentHandler, f"{ACCOUNT}/deployments/another", deployment_body("gpt-4o-mini"))


def test_a_retired_model_is_refused_to_all(world: World) -> None:
    world.put(AccountHandler, ACCOUNT, account_body())
    path = f"{ACCOUNT}/deployments/chat"
    had = world.put(DeploymentHandler, path, deployment_body())
    had.properties["model"] = {"format": "OpenAI", "name": "gpt-35-turbo", "version": "0613"}
    world.store.save(had)
    with pytest.raises(ArmError, match=r"has been deprecated since 02/13/2025 00:00:00\.") as refused:
        world.put(DeploymentHandler, path, deployment_body("gpt-35-turbo"))
    assert refused.value.code == "ServiceModelDeprecated"


def test_the_catalogue_tells_how_long_a_model_lasts(world: World) -> None:
    listed = world.operate(AccountHandler, "GET", "/locations/{location}/models", location="westeurope")
    found = {
        (entry["model"]["name"], entry["model"]["version"]): (
            entry["model"]["lifecycleStatus"],
            entry["model"]["deprecation"]["inference"],
        )
        for entry in listed.body["value"]
    }
    assert found["gpt-5.4-mini", "2026-03-17"] == ("GenerallyAvailable", "2027-09-21T00:00:00Z")
    assert found["gpt-4.1-mini", "2025-04-14"] == ("Legacy", "2027-04-14T00:00:00Z")
    assert found["gpt-4o-mini", "2024-07-18"] == ("Deprecating", "2027-04-14T00:00:00Z")
    assert found["gpt-35-turbo", "0613"] == ("Deprecated", "2025-02-13T00:00:00Z")


def test_quota_is_per_region_model_and_sku(world: World) -> None:
    world.put(AccountHandler, ACCOUNT, account_body())
    world.put(DeploymentHandler, f"{ACCOUNT}/deployments/a", deployment_body(capacity=600))
    with pytest.raises(ArmError, match="available capacity 400") as refused:
        world.put(DeploymentHandler, f"{ACCOUNT}/deployments/b", deployment_body(capacity=500))
    assert refused.value.code == "InsufficientQuota"
    world.put(DeploymentHandler, f"{ACCOUNT}/deployments/a", deployment_body(capacity=1000))
    world.put(DeploymentHandler, f"{ACCOUNT}/deployments/b", deployment_body("gpt-4.1-mini", capacity=1000))
    world.put(
        DeploymentHandler, f"{ACCOUNT}/deployments/c", deployment_body(capacity=1000, sku="GlobalStandard")
    )
    elsewhere = "Microsoft.CognitiveServices/accounts/oai-agents-dev-backup"
    body = account_body(customSubDomainName="oai-agents-dev-backup")
    world.put(AccountHandler, elsewhere, {**body, "location": "swedencentral"})
    world.put(DeploymentHandler, f"{elsewhere}/deployments/a", deployment_body(capacity=1000))
