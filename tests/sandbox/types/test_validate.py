"""What ARM refuses, and in which words."""

from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.types.validate import check_name, converted, validate

VAULTS = "Microsoft.KeyVault/vaults"
VERSION = "2024-11-01"


def vault(**properties: Any) -> dict[str, Any]:
    sku = {"family": "A", "name": "standard"}
    return {"location": "westeurope", "properties": {"tenantId": "t", "sku": sku, **properties}}


def refusal(body: Any, previous: Any = None, type_name: str = VAULTS) -> ArmError:
    with pytest.raises(ArmError) as found:
        validate(type_name, body, VERSION, previous)
    assert found.value.status == 400
    return found.value


def test_a_right_body_is_accepted() -> None:
    validate(VAULTS, vault(enableSoftDelete=True), VERSION)


@pytest.mark.parametrize(
    ("body", "code", "target", "said"),
    [
        (vault(noSuch=1), "InvalidRequestContent", "properties.noSuch", "Could not find member 'noSuch'"),
        ({**vault(), "noSuch": 1}, "InvalidRequestContent", "noSuch", "Could not find member"),
        (
            {"properties": vault()["properties"]},
            "LocationRequired",
            "location",
            "location property is required",
        ),
        ({"location": "w"}, "InvalidRequestContent", "properties", "Required property 'properties'"),
        (vault(sku=None), "InvalidRequestContent", "properties.sku", "Required property 'sku'"),
        (vault(enableSoftDelete="yes"), "InvalidRequestContent", "properties.enableSoftDelete", "a boolean"),
        (vault(enableSoftDelete=1), "InvalidRequestContent", "properties.enableSoftDelete", "a boolean"),
        (vault(softDeleteRetentionInDays=7.5), "InvalidRequestContent", None, "7.5 to an integer"),
        (vault(accessPolicies={}), "InvalidRequestContent", "properties.accessPolicies", "an array"),
        (
            vault(sku={"family": "A", "name": "gold"}),
            "InvalidParameter",
            "properties.sku.name",
            "Allowed values are: standard, premium",
        ),
        (vault(hsmPoolResourceId="/x"), "InvalidParameter", "properties.hsmPoolResourceId", "read-only"),
        ([], "InvalidRequestContent", "", "an object"),
    ],
)
def test_what_is_refused(body: Any, code: str, target: str | None, said: str) -> None:
    error = refusal(body)
    assert error.code == code
    assert said in error.message
    if target is not None:
        assert error.target == target


def test_a_path_names_the_element() -> None:
    body = vault(accessPolicies=[{"tenantId": "t", "objectId": "o", "permissions": {}}, {"tenantId": 1}])
    error = refusal(body)
    told = {detail.target for detail in error.details}
    assert "properties.accessPolicies[1].tenantId" in told
    assert "properties.accessPolicies[1].objectId" in told


def test_several_problems_are_details() -> None:
    error = refusal({"location": 1, "properties": {"tenantId": "t", "oops": 1}})
    assert {detail.target for detail in error.details} == {"location", "properties.oops", "properties.sku"}
    assert error.body()["error"]["details"]


def test_enum_values_are_compared_without_case_as_azure_does() -> None:
    validate(VAULTS, vault(sku={"family": "a", "name": "Standard"}), VERSION)


def test_streams_of_add_ons_are_more_than_the_sdk_names() -> None:
    def rule(stream: Any) -> dict[str, Any]:
        source = {"name": "containers", "extensionName": "ContainerInsights", "streams": [stream]}
        flow = {"streams": [stream], "destinations": ["workspace"]}
        properties = {"dataSources": {"extensions": [source]}, "dataFlows": [flow]}
        return {"location": "w", "properties": properties}

    rules = "Microsoft.Insights/dataCollectionRules"
    validate(rules, rule("Microsoft-ContainerLogV2"), VERSION)
    told = {detail.target for detail in refusal(rule(1), type_name=rules).details}
    assert told == {
        "properties.dataSources.extensions[0].streams[0]",
        "properties.dataFlows[0].streams[0]",
    }


def test_numbers_are_taken_as_strings_only_where_azure_takes_them() -> None:
    deployments = "Microsoft.CognitiveServices/accounts/deployments"
    sent: dict[str, Any] = {"sku": {"name": "Standard", "capacity": "10"}}
    assert converted(deployments, sent)["sku"]["capacity"] == 10
    assert sent["sku"]["capacity"] == "10"
    for other in ("ten", "1.5", "", None):
        assert converted(deployments, {"sku": {"capacity": other}})["sku"]["capacity"] == other
    for odd in ({}, {"sku": None}, {"sku": "10"}):
        assert converted(deployments, odd) == odd
    assert converted(VAULTS, vault(softDeleteRetentionInDays="7")) == vault(softDeleteRetentionInDays="7")


def test_null_is_absent() -> None:
    validate(VAULTS, vault(hsmPoolResourceId=None, enableSoftDelete=None), VERSION)


def test_unchanged_echoes_of_read_only_properties_are_tolerated() -> None:
    previous = vault(hsmPoolResourceId="/x")
    validate(VAULTS, vault(hsmPoolResourceId="/x"), VERSION, previous)
    assert refusal(vault(hsmPoolResourceId="/y"), previous).target == "properties.hsmPoolResourceId"
    assert refusal(vault(hsmPoolResourceId="/x"), vault()).target == "properties.hsmPoolResourceId"


def test_an_echo_in_an_array_is_matched_by_name() -> None:
    def network(*subnets: tuple[str, str | None]) -> dict[str, Any]:
        made = [
            {
                "name": name,
                "properties": {"addressPrefix": "10.0.0.0/24", **({"purpose": state} if state else {})},
            }
            for name, state in subnets
        ]
        return {"location": "w", "properties": {"addressSpace": {"addressPrefixes": []}, "subnets": made}}

    previous = network(("a", "one"), ("b", "two"))
    vnet = "Microsoft.Network/virtualNetworks"
    validate(vnet, network(("b", "two")), VERSION, previous)
    assert refusal(network(("b", "one")), previous, vnet).target == "properties.subnets[0].properties.purpose"


def test_an_update_may_repeat_what_the_url_says() -> None:
    validate(VAULTS, {**vault(), "id": "/x", "name": "v", "type": VAULTS}, VERSION, vault())


def test_a_discriminator_chooses_the_allowed_properties() -> None:
    def account(policy: Any) -> dict[str, Any]:
        locations = [{"locationName": "w", "failoverPriority": 0}]
        properties = {"databaseAccountOfferType": "Standard", "locations": locations, "backupPolicy": policy}
        return {"location": "w", "properties": properties}

    cosmos = "Microsoft.DocumentDB/databaseAccounts"
    good = {"type": "Continuous", "continuousModeProperties": {"tier": "Continuous7Days"}}
    validate(cosmos, account(good), VERSION)
    wrong = refusal(account({**good, "type": "Periodic"}), None, cosmos)
    assert wrong.target == "properties.backupPolicy.continuousModeProperties"
    unknown = refusal(account({"type": "Sometimes"}), None, cosmos)
    assert (unknown.code, unknown.target) == ("InvalidParameter", "properties.backupPolicy.type")
    missing = refusal(account({}), None, cosmos)
    assert missing.target == "properties.backupPolicy.type"


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(ArmError) as found:
        validate(VAULTS, vault(), "tomorrow")
    assert found.value.code == "NoRegisteredProviderFound"
    assert VERSION in found.value.message


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ArmError) as found:
        validate("Microsoft.KeyVault/safes", {}, VERSION)
    assert (found.value.status, found.value.code) == (404, "InvalidResourceType")


@pytest.mark.parametrize(
    ("type_name", "good", "bad"),
    [
        (VAULTS, ["kv-agents-dev", "abc"], ["ab", "1abc", "a--b", "abc-", "a" * 25, "kv_x"]),
        ("Microsoft.Storage/storageAccounts", ["stagents1"], ["st-agents", "STA", "ab", "a" * 25]),
        ("Microsoft.ContainerRegistry/registries", ["acragentsdev"], ["acr-agents", "acr1", "a" * 51]),
        ("Microsoft.DocumentDB/databaseAccounts", ["cosmos-agents-dev"], ["Cosmos", "-ab", "ab", "ab-"]),
        (
            "Microsoft.ContainerService/managedClusters/agentPools",
            ["system", "np1"],
            ["1np", "Sys", "a" * 13],
        ),
        ("Microsoft.Resources/resourceGroups", ["rg-agents-dev", "rg.(x)_1"], ["rg.", "", "a" * 91, "a b"]),
        ("Microsoft.Network/dnsZones", ["agents.test", "a.b.c"], ["test", "a..b", "-.test"]),
        ("Microsoft.Authorization/roleAssignments", ["0f0f0f0f-0000-4000-8000-000000000000"], ["reader"]),
        ("Microsoft.Network/virtualNetworks", ["vnet-agents-dev"], ["v", "-net", "net-", "a b"]),
        ("Microsoft.CognitiveServices/accounts", ["oai-agents-dev"], ["a", "-oai", "oai_x"]),
    ],
)
def test_names(type_name: str, good: list[str], bad: list[str]) -> None:
    for name in good:
        check_name(type_name, name)
    for name in bad:
        with pytest.raises(ArmError) as found:
            check_name(type_name, name)
        assert (found.value.status, found.value.code) == (400, "InvalidResourceName")
        assert f"'{name}'" in found.value.message
