"""Secrets brought back on the sandbox's own planes, with the roles that a stamp gives for it and no other.

The copies are the backup's worker's own, made from a vault with the worker's roles. Every client is
Microsoft's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from azure.keyvault.secrets import SecretClient

from app.backup.restore import main, run
from app.backup.settings import RestoreSettings
from sandbox.azure.keyvault.access import KeyOperation, Operation
from sandbox.azure.keyvault.vaults import VaultHandler
from tests.sandbox.azure import fakes, test_backup_worker
from tests.sandbox.azure.conftest import GROUP, World
from tests.sandbox.azure.keyvault.test_secrets import vault_body
from tests.sandbox.azure.storage.conftest import BLOBS

planes = test_backup_worker.planes
STAMP = "Microsoft.KeyVault/vaults/kv-agents-prod-dr"
WHO = "restorer"
SETTINGS = RestoreSettings.model_validate(
    {
        "Source": {"VaultUri": "https://kv-agents-prod.vault.azure.test/"},
        "Copies": {
            "Endpoint": "https://stagentsprodbackup.blob.storage.azure.test/",
            "Key": "https://kv-agents-prod-backup.vault.azure.test/keys/copies",
        },
        "Target": {"VaultUri": "https://kv-agents-prod-dr.vault.azure.test/", "Kept": ["set-by-stack"]},
    }
)
NOT_BEFORE, EXPIRES = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
ROLES = (
    (Operation.GET.action, f"{GROUP}/providers/{STAMP}"),
    (Operation.SET.action, f"{GROUP}/providers/{STAMP}"),
    (KeyOperation.UNWRAP.action, f"{GROUP}/providers/{test_backup_worker.BACKUP}/keys/copies"),
    (
        f"{BLOBS}read",
        f"{GROUP}/providers/{test_backup_worker.COPIES}/blobServices/default/containers/secrets",
    ),
)


@pytest.fixture(scope="module")
def copied(planes: World) -> World:
    """With two secrets, one of them in two versions, and their copies."""
    planes.put(VaultHandler, STAMP, vault_body())
    test_backup_worker._grant_as_the_stack_does(planes)
    with _vault("kv-agents-prod") as vault:
        old = vault.set_secret("url", "https://canary-old").properties.created_on
        # A vault tells times in seconds, and of versions of one second nobody knows the newer.
        while old is not None and time.time() < old.timestamp() + 1:
            time.sleep(0.02)
        vault.set_secret(
            "url",
            "https://canary-new",
            content_type="url",
            tags={"owner": "ops"},
            not_before=NOT_BEFORE,
            expires_on=EXPIRES,
        )
        vault.set_secret("set-by-stack", "canary")
    test_backup_worker._pass()
    return planes


@pytest.fixture
def world(copied: World) -> Iterator[World]:
    """With the restorer's roles and an empty vault of the stamp."""
    for action, scope in ROLES:
        copied.rbac.grant(WHO, action, scope=scope)
    yield copied
    copied.rbac.grants = {one for one in copied.rbac.grants if one[0] != WHO}
    with _vault() as vault:
        for secret in list(vault.list_properties_of_secrets()):
            vault.begin_delete_secret(str(secret.name)).wait()
        for deleted in list(vault.list_deleted_secrets()):
            vault.purge_deleted_secret(str(deleted.name))


def _vault(name: str = "kv-agents-prod-dr") -> SecretClient:
    return SecretClient(f"https://{name}.vault.azure.test", fakes.Credential("owner"), retry_total=0)


def _restored() -> int:
    return asyncio.run(run(SETTINGS, test_backup_worker.Credential(WHO)))  # type: ignore[arg-type]


def _versions(name: str) -> int:
    with _vault() as vault:
        return len(list(vault.list_properties_of_secret_versions(name)))


def test_the_newest_version_comes_back_once_with_its_attributes(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert _restored() == 0
        assert _restored() == 0
    with _vault() as vault:
        found = vault.get_secret("url")
        assert [one.name for one in vault.list_properties_of_secrets()] == ["url"]
    properties = found.properties
    assert (found.value, properties.content_type, properties.tags) == (
        "https://canary-new",
        "url",
        {"owner": "ops"},
    )
    assert (properties.not_before, properties.expires_on, properties.enabled) == (NOT_BEFORE, EXPIRES, True)
    assert _versions("url") == 1
    assert "url: restored" in caplog.text
    assert "canary" not in caplog.text


def test_what_was_set_later_disabled_or_deleted_in_the_vault_is_left_alone(world: World) -> None:
    with _vault() as vault:
        vault.set_secret("url", "https://later")
    assert _restored() == 0
    assert _versions("url") == 1
    with _vault() as vault:
        vault.update_secret_properties("url", enabled=False)
    assert _restored() == 0
    assert _versions("url") == 1
    with _vault() as vault:
        vault.begin_delete_secret("url").wait()
    assert _restored() == 0
    with _vault() as vault:
        assert [one.name for one in vault.list_deleted_secrets()] == ["url"]


@pytest.mark.parametrize(("action", "scope"), ROLES, ids=["get", "set", "unwrap", "read copies"])
def test_each_of_its_roles_is_needed(world: World, action: str, scope: str) -> None:
    world.rbac.grants = {one for one in world.rbac.grants if one[:2] != (WHO, action.lower())}
    assert _restored() == 1
    with _vault() as vault:
        assert list(vault.list_properties_of_secrets()) == []


def test_wrong_settings_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Source__VaultUri", "Copies__Endpoint", "Copies__Key", "Target__VaultUri"):
        monkeypatch.delenv(name, raising=False)
    assert main() == 2
    assert "Target" in capsys.readouterr().out
