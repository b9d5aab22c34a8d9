"""The provider's small parts, each on its own."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.engine.azure_native import cloud, naming, outputs, settings
from sandbox.engine.azure_native.arm_client import RefusedError
from sandbox.engine.azure_native.diff import changes, replacing
from sandbox.engine.azure_native.inputs import failures
from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.settings import Settings
from sandbox.engine.azure_native.wording import describe, sdk_path
from sandbox.engine.failures import PlugError
from sandbox.engine.values import UNKNOWN, Secret
from sandbox.types import cache, table
from sandbox.types.armtype import ArmType


def row(name: str) -> ArmType:
    found = table.by_arm_type(name)
    assert found is not None
    return found


VAULT, NETWORK = row("Microsoft.KeyVault/vaults"), row("Microsoft.Network/virtualNetworks")
CLUSTER = row("Microsoft.ContainerService/managedClusters")


def test_settings_prefer_the_configuration() -> None:
    environ = {"ARM_CLIENT_ID": "env", "ARM_TENANT_ID": "t", "ARM_DISABLE_INSTANCE_DISCOVERY": "true"}
    found = settings.parse({"clientId": "config", "useMsi": "false", "clientSecret": "s"}, environ)
    assert (found.client_id, found.tenant_id, found.client_secret) == ("config", "t", "s")
    assert found.disable_instance_discovery
    assert not found.use_msi
    assert "'s'" not in repr(found)


@pytest.mark.parametrize("value", ["perhaps", "2", "[]"])
def test_a_setting_that_is_no_boolean_is_named(value: str) -> None:
    with pytest.raises(PlugError, match="azure-native:useMsi must be true or false"):
        settings.parse({"useMsi": value}, {})


def _metadata(body: Any, status: int = 200) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status, json=body)))


def test_the_cloud_is_read_from_its_metadata() -> None:
    document = {
        "resourceManager": "https://management.x.test/",
        "authentication": {
            "loginEndpoint": "https://login.x.test/",
            "audiences": ["https://management.x.test/"],
        },
        "suffixes": {"keyVaultDns": ".vault.x.test"},
    }
    expected = cloud.Cloud(
        "https://management.x.test", "https://login.x.test", "https://management.x.test", "vault.x.test"
    )
    for body in (document, [document]):
        assert cloud.read(Settings(metadata_host="management.x.test"), _metadata(body)) == expected


@pytest.mark.parametrize(("body", "status"), [({}, 200), ([], 200), ({"a": 1}, 200), ({}, 500), (None, 200)])
def test_a_cloud_without_metadata_is_named(body: Any, status: int) -> None:
    with pytest.raises(PlugError, match=r"cannot read the cloud's endpoints from https://m\.test/metadata"):
        cloud.read(Settings(metadata_host="m.test"), _metadata(body, status))


def test_an_unknown_cloud_is_named() -> None:
    with pytest.raises(PlugError, match="'mars'; known are public"):
        cloud.read(Settings(environment="mars"), _metadata({}))


def test_names_are_made_up_as_the_official_provider_does() -> None:
    name = naming.auto_name(VAULT, "kv", b"seed")
    assert name == naming.auto_name(VAULT, "kv", b"seed") != naming.auto_name(VAULT, "kv", b"other")
    assert len(name) == len("kv") + 8
    assert naming.is_auto(VAULT, "kv", name)
    assert not naming.is_auto(VAULT, "kv", "kv-dev")
    assert naming.auto_name(row("Microsoft.Network/virtualNetworks/subnets"), "a", b"") == "a"
    assignments = row("Microsoft.Authorization/roleAssignments")
    assert naming.is_auto(assignments, "x", naming.auto_name(assignments, "x", b"seed"))


def test_changes_are_named_by_path() -> None:
    old = {"tags": {"a.b": "1", "c": "2"}, "subnets": [{"name": "a"}], "flag": True, "same": 1}
    new = {"tags": {"a.b": "3"}, "subnets": [{"name": "a"}, {"name": "b"}], "flag": 1, "same": 1.0}
    found = {change.path: change.kind for change in changes(old, new)}
    assert found == {'tags["a.b"]': "update", "tags.c": "delete", "subnets[1]": "add", "flag": "update"}


def test_secrets_are_compared_by_value_and_unknowns_count_as_changed() -> None:
    assert changes({"a": Secret("x")}, {"a": "x"}) == []
    assert [change.path for change in changes({"a": "x"}, {"a": UNKNOWN})] == ["a"]


@pytest.mark.parametrize(
    ("type_row", "old", "new", "expected"),
    [
        (VAULT, {"vaultName": "a"}, {"vaultName": "b"}, ["vaultName"]),
        (VAULT, {"location": "a"}, {"location": "b"}, ["location"]),
        (VAULT, {"tags": {"a": "b"}}, {"tags": {}}, []),
        (
            VAULT,
            {"properties": {"tenantId": "a"}},
            {"properties": {"tenantId": "b"}},
            ["properties.tenantId"],
        ),
        (
            CLUSTER,
            {"networkProfile": {"podCidr": "a"}},
            {"networkProfile": {"podCidr": "b"}},
            ["networkProfile.podCidr"],
        ),
        (CLUSTER, {"networkProfile": {"outboundType": "a"}}, {"networkProfile": {"outboundType": "b"}}, []),
        (CLUSTER, {"networkProfile": {"podCidr": "a"}}, {}, ["networkProfile"]),
        (NETWORK, {"subnets": []}, {"subnets": [{"name": "a"}]}, []),
    ],
)
def test_what_replaces(type_row: ArmType, old: Any, new: Any, expected: list[str]) -> None:
    found = replacing(type_row, cache.schema(type_row), changes(old, new))
    assert [change.path for change in found] == expected


def test_inputs_are_checked_through_secrets_and_unknowns() -> None:
    inputs = {
        "resourceGroupName": "rg",
        "vaultName": UNKNOWN,
        "properties": {"tenantId": Secret(7), "sku": UNKNOWN, "enableSoftDelet": True},
    }
    found = dict(failures(VAULT, cache.schema(VAULT), inputs))
    assert found == {
        "properties.tenantId": "'properties.tenantId' must be a string, not 7",
        "properties.enableSoftDelet": "'properties.enableSoftDelet' is not a known property; "
        "did you mean 'enableSoftDelete'?",
    }


def test_a_preview_knows_the_inputs_only() -> None:
    inputs = {"location": "w", "properties": {"tenantId": "t", "sku": {"family": "A", "name": "standard"}}}
    found = outputs.preview(cache.schema(VAULT), inputs, None)
    assert found["location"] == "w"
    assert found["properties"]["tenantId"] == "t"
    assert found["properties"]["vaultUri"] is UNKNOWN
    assert found["name"] is UNKNOWN
    later = outputs.preview(cache.schema(VAULT), inputs, {"name": "kv", "location": "w"})
    assert (later["name"], later["properties"]["vaultUri"]) == ("kv", UNKNOWN)


def _subnets(*names: str) -> dict[str, Any]:
    return {"subnets": [{"name": name, "addressPrefix": f"10.0.{len(name)}.0/24"} for name in names]}


def test_drift_leaves_the_users_own_spelling_alone() -> None:
    inputs = {"location": "West Europe", "tags": {"a": Secret("b")}}
    same = {"location": "westeurope", "tags": {"a": "b"}, "flowTimeoutInMinutes": 4}
    assert outputs.drifted(NETWORK, inputs, same, same) == inputs
    changed = {**same, "tags": {"a": "c"}, "flowTimeoutInMinutes": 5}
    found = outputs.drifted(NETWORK, inputs, same, changed)
    assert found == {"location": "West Europe", "tags": {"a": "c"}, "flowTimeoutInMinutes": 5}
    removed = outputs.drifted(NETWORK, inputs, same, {"location": "westeurope"})
    assert removed == {"location": "West Europe"}


def test_elements_that_other_resources_added_are_no_drift() -> None:
    assert outputs.drifted(NETWORK, {"location": "w"}, {}, _subnets("a")) == {"location": "w"}
    mine = _subnets("a")
    assert outputs.drifted(NETWORK, mine, mine, _subnets("a", "bb")) == mine
    assert outputs.drifted(NETWORK, _subnets("a", "bb"), _subnets("a", "bb"), _subnets("bb")) == _subnets(
        "bb"
    )


def test_drift_in_an_element_is_drift() -> None:
    moved = {"subnets": [{"name": "a", "addressPrefix": "10.9.0.0/24"}]}
    assert outputs.drifted(NETWORK, _subnets("a"), _subnets("a"), moved) == moved


@pytest.mark.parametrize(
    ("type_row", "wire", "expected"),
    [
        (NETWORK, "properties.subnets[1].properties.addressPrefix", "subnets[1].addressPrefix"),
        (NETWORK, "properties", "properties"),
        (NETWORK, "location", "location"),
        (VAULT, "properties.sku.family", "properties.sku.family"),
        (
            row("Microsoft.Storage/storageAccounts"),
            "properties.supportsHttpsTrafficOnly",
            "enableHttpsTrafficOnly",
        ),
        (NETWORK, "properties.noSuch[0].thing", "noSuch[0].thing"),
    ],
)
def test_wire_paths_read_as_the_program_names_them(type_row: ArmType, wire: str, expected: str) -> None:
    assert sdk_path(cache.schema(type_row), wire) == expected


def test_a_refusal_tells_everything_once() -> None:
    inner = [
        RefusedError(400, "A", "first", "properties.subnets[0].name"),
        RefusedError(400, "B", "second", "properties.addressSpace"),
    ]
    error = RefusedError(400, "Outer", "two problems", None, inner)
    assert describe("creating", "/x", cache.schema(NETWORK), error).splitlines() == [
        'creating /x: Status=400 Code="Outer" Message="two problems"',
        '  Status=400 Code="A" Message="first" Property="subnets[0].name"',
        '  Status=400 Code="B" Message="second" Property="addressSpace"',
    ]


def test_the_journal_survives_and_forgets(tmp_path: Path) -> None:
    path = tmp_path / "a" / "creations.json"
    journal = Journal(path)
    assert not journal.begin("urn", "/Some/Id")
    again = Journal(path)
    assert again.unfinished("urn") == "/Some/Id"
    assert again.begin("urn", "/some/id")
    again.forget("urn", "/SOME/ID")
    assert Journal(path).unfinished("urn") is None
    assert json.loads(path.read_text()) == []


@pytest.mark.parametrize("text", ["", "{", "7", "[1]", '[["a"]]', '[["a", 1]]'])
def test_a_damaged_journal_is_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "creations.json"
    path.write_text(text)
    journal = Journal(path)
    assert journal.unfinished("a") is None
    assert not journal.begin("a", "/x")
