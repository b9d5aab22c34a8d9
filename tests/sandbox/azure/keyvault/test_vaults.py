"""The control plane: what a vault may be, what soft delete keeps, and secrets through ARM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from sandbox.arm.errors import ArmError
from sandbox.azure import keyvault
from sandbox.azure.keyvault.access import Operation
from sandbox.azure.keyvault.arm_secrets import SecretHandler
from sandbox.azure.keyvault.vaults import VaultHandler
from tests.sandbox.azure.conftest import GROUP, World
from tests.sandbox.azure.fakes import Credential
from tests.sandbox.azure.keyvault.test_secrets import URL, VAULT, vault_body

HANDLERS = [VaultHandler, SecretHandler]


def test_defaults_and_computed_properties(world: World) -> None:
    vault = world.put(VaultHandler, VAULT, vault_body())
    assert vault.properties["vaultUri"] == "https://kv-agents-dev.vault.azure.test/"
    assert vault.properties["enableSoftDelete"] is True
    assert vault.properties["softDeleteRetentionInDays"] == 90
    assert "enablePurgeProtection" not in vault.properties
    assert "kv-agents-dev.vault.azure.test" in world.hosts.names


@pytest.mark.parametrize(
    ("properties", "wording"),
    [
        ({"tenantId": "11111111-1111-1111-1111-111111111111"}, "tenant ID"),
        ({"enablePurgeProtection": False}, "irreversible"),
        ({"enableSoftDelete": False}, "irreversible"),
        ({"softDeleteRetentionInDays": 6}, "from 7 to 90"),
        ({"softDeleteRetentionInDays": 91}, "from 7 to 90"),
        ({"enableRbacAuthorization": False}, "accessPolicies is not specified"),
        ({"createMode": "recover"}, "does not exist"),
    ],
)
def test_what_is_refused(world: World, properties: dict[str, Any], wording: str) -> None:
    with pytest.raises(ArmError, match=wording):
        world.put(VaultHandler, VAULT, vault_body(**properties))
    assert not list(world.store.list(type=VaultHandler.type))


def test_purge_protection_stays_on(world: World) -> None:
    world.put(VaultHandler, VAULT, vault_body(enablePurgeProtection=True))
    again = world.put(VaultHandler, VAULT, vault_body())
    assert again.properties["enablePurgeProtection"] is True
    with pytest.raises(ArmError, match="irreversible"):
        world.put(VaultHandler, VAULT, vault_body(enablePurgeProtection=False))


def test_retention_cannot_change(world: World) -> None:
    world.put(VaultHandler, VAULT, vault_body(softDeleteRetentionInDays=7))
    with pytest.raises(ArmError, match="can't be modified"):
        world.put(VaultHandler, VAULT, vault_body(softDeleteRetentionInDays=8))
    assert world.put(VaultHandler, VAULT, vault_body()).properties["softDeleteRetentionInDays"] == 7


def test_names_are_taken_everywhere_while_live_and_while_deleted(world: World) -> None:
    vault = world.put(VaultHandler, VAULT, vault_body())
    elsewhere = f"{GROUP}-other/providers/{VAULT.upper()}"
    with pytest.raises(ArmError) as live:
        world.put(VaultHandler, elsewhere, vault_body())
    assert (live.value.status, live.value.code) == (409, "VaultAlreadyExists")
    world.delete(HANDLERS, vault)
    assert "kv-agents-dev.vault.azure.test" not in world.hosts.names
    for path in (VAULT, elsewhere):
        with pytest.raises(ArmError) as deleted:
            world.put(VaultHandler, path, vault_body())
        assert (deleted.value.status, deleted.value.code) == (409, "ConflictError")


def test_recovery_brings_back_the_vault_as_it_was_with_its_secrets(
    world: World, serve: Callable[[], None]
) -> None:
    keyvault.mount(world.services)
    vault = world.put(VaultHandler, VAULT, {**vault_body(softDeleteRetentionInDays=7), "tags": {"a": "b"}})
    world.put(SecretHandler, f"{VAULT}/secrets/one", {"properties": {"value": "1"}})
    world.put(SecretHandler, f"{VAULT}/secrets/gone", {"properties": {"value": "2"}})
    world.rbac.grant("officer", *[operation.action for operation in Operation])
    serve()
    with SecretClient(URL, Credential("officer"), retry_total=0) as client:
        client.begin_delete_secret("gone").wait()
        world.delete(HANDLERS, vault)
        assert not list(world.store.list(type=SecretHandler.type))
        back = world.put(VaultHandler, VAULT, vault_body(createMode="recover"))
        assert back.properties["softDeleteRetentionInDays"] == 7
        assert back.body["tags"] == {"a": "b"}
        assert not {"deletionDate", "scheduledPurgeDate", "createMode"} & set(back.properties)
        assert not list(world.store.deleted(VaultHandler.type))
        assert client.get_secret("one").value == "1"
        assert [d.name for d in client.list_deleted_secrets()] == ["gone"]
    assert [s.id.name for s in world.store.list(type=SecretHandler.type)] == ["one"]


def test_deleted_vaults_are_listed_shown_and_purged(world: World, serve: Callable[[], None]) -> None:
    keyvault.mount(world.services)
    vault = world.put(VaultHandler, VAULT, vault_body())
    world.put(SecretHandler, f"{VAULT}/secrets/one", {"properties": {"value": "1"}})
    world.delete(HANDLERS, vault)
    where = {"name": "KV-agents-dev", "location": "westeurope"}
    listed = world.operate(VaultHandler, "GET", "/deletedVaults").body["value"]
    assert [one["properties"]["vaultId"] for one in listed] == [str(vault.id)]
    assert world.operate(VaultHandler, "GET", "/deletedVaults/{name}", **where).body == listed[0]
    assert world.operate(VaultHandler, "POST", "/purge", **where).status == 200
    with pytest.raises(ArmError, match="does not exist"):
        world.operate(VaultHandler, "POST", "/purge", **where)
    world.put(VaultHandler, VAULT, vault_body())
    world.rbac.grant("officer", *[operation.action for operation in Operation])
    serve()
    with (
        SecretClient(URL, Credential("officer"), retry_total=0) as client,
        pytest.raises(ResourceNotFoundError),
    ):
        client.get_secret("one")


def test_purge_protection_forbids_the_purge(world: World) -> None:
    world.delete(HANDLERS, world.put(VaultHandler, VAULT, vault_body(enablePurgeProtection=True)))
    with pytest.raises(ArmError) as refused:
        world.operate(VaultHandler, "POST", "/purge", name="kv-agents-dev", location="westeurope")
    assert (refused.value.status, refused.value.code) == (405, "MethodNotAllowed")


def test_name_availability(world: World) -> None:
    def check(name: str) -> Any:
        return world.operate(VaultHandler, "POST", "/checkNameAvailability", {"name": name}).body

    assert check("kv-agents-dev") == {"nameAvailable": True}
    world.put(VaultHandler, VAULT, vault_body())
    assert check("kv-agents-DEV")["reason"] == "AlreadyExists"
    assert check("1kv")["reason"] == "AccountNameInvalid"


def test_arm_writes_secrets_through_and_never_shows_values(world: World, serve: Callable[[], None]) -> None:
    keyvault.mount(world.services)
    world.put(VaultHandler, VAULT, vault_body())
    path = f"{VAULT}/secrets/pagerduty"
    body = {
        "tags": {"a": "b"},
        "properties": {"value": "routing-key", "contentType": "key", "attributes": {"exp": 9}},
    }
    made = world.put(SecretHandler, path, body)
    assert "routing-key" not in str(made.body)
    assert made.properties["attributes"]["exp"] == 9
    assert made.properties["secretUri"] == f"{URL}/secrets/pagerduty"
    version = made.properties["secretUriWithVersion"].rpartition("/")[2]
    world.rbac.grant("officer", *[operation.action for operation in Operation])
    serve()
    with SecretClient(URL, Credential("officer"), retry_total=0) as client:
        got = client.get_secret("pagerduty")
        assert (got.value, got.properties.version, got.properties.tags) == (
            "routing-key",
            version,
            {"a": "b"},
        )
        client.set_secret("pagerduty", "rotated")
        client.set_secret("from-the-data-plane", "x")
    shown = {
        s.id.name: s.properties["secretUriWithVersion"] for s in world.store.list(type=SecretHandler.type)
    }
    assert set(shown) == {"pagerduty", "from-the-data-plane"}
    assert shown["pagerduty"] != made.properties["secretUriWithVersion"]


def test_arm_secrets_need_a_value_and_a_free_name(world: World) -> None:
    world.put(VaultHandler, VAULT, vault_body())
    with pytest.raises(ArmError, match="value is not specified"):
        world.put(SecretHandler, f"{VAULT}/secrets/s", {"properties": {}})
    with pytest.raises(ArmError, match="exp must lie behind"):
        world.put(
            SecretHandler,
            f"{VAULT}/secrets/s",
            {"properties": {"value": "v", "attributes": {"exp": 1, "nbf": 2}}},
        )
