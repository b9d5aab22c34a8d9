"""The backup's worker against the sandbox's own planes, with the roles that its stack gives it and no other.

A real Azurite, a vault with secrets, a vault with the key; every client is Microsoft's.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient
from azure.storage.blob import BlobServiceClient
from prometheus_client import REGISTRY

from app.backup.__main__ import assemble
from app.backup.format import Name, Secret, unseal
from app.backup.key import VaultKey
from app.backup.settings import BackupSettings
from app.events.deadletters import DeadLetters
from app.settings import DeadLetterSettings
from sandbox.azure import keyvault, storage
from sandbox.azure.keyvault.access import KeyOperation, Operation
from sandbox.azure.keyvault.arm_keys import KeyHandler
from sandbox.azure.keyvault.vaults import VaultHandler
from sandbox.azure.storage.accounts import StorageAccountHandler
from sandbox.azure.storage.containers import ContainerHandler
from sandbox.config import Config
from tests.sandbox.azure import fakes
from tests.sandbox.azure.conftest import GROUP, World, make_world, serving
from tests.sandbox.azure.keyvault.test_secrets import vault_body
from tests.sandbox.azure.storage.conftest import BLOBS, account_body

_VAULTS, _ACCOUNTS = "Microsoft.KeyVault/vaults/", "Microsoft.Storage/storageAccounts/"
SOURCE, BACKUP = f"{_VAULTS}kv-agents-prod", f"{_VAULTS}kv-agents-prod-backup"
LETTERS, COPIES = f"{_ACCOUNTS}stagentsprod", f"{_ACCOUNTS}stagentsprodbackup"
URL = "https://stagentsprodbackup.blob.storage.azure.test"
LETTER = "SUB-DEVOPS/2026/11/28/10/0b1c.json"
WHO = "copier"
EVENT = b'[{"id": "1", "deadletterreason": "MaxDeliveryAttemptsExceeded", "data": {}}]'
SETTINGS = BackupSettings.model_validate(
    {
        "Source": {
            "VaultUri": "https://kv-agents-prod.vault.azure.test/",
            "DeadLetters": "https://stagentsprod.blob.storage.azure.test/",
            "CosmosId": f"{GROUP}/providers/Microsoft.DocumentDB/databaseAccounts/cosmos-agents-prod",
            "SqlId": f"{GROUP}/providers/Microsoft.Sql/servers/sql-agents-prod",
            "SqlDatabase": "AgentsDB-20261128T095930Z",
            "Location": "westeurope",
        },
        "Copies": {
            "Endpoint": f"{URL}/",
            "Key": "https://kv-agents-prod-backup.vault.azure.test/keys/copies",
        },
        # Nobody serves it here: what cannot be asked keeps nothing from being copied.
        "ResourceManager": {"Endpoint": "https://management.azure.test"},
        "INTERVAL_SECONDS": 60,
    }
)


class Credential(fakes.Credential):
    """As asynchronous clients take it."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # type: ignore[override]
        return fakes.Credential(self.object_id).get_token(*scopes, **options)

    async def close(self) -> None: ...


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not (Config().cache / "bin" / "azurite").exists() or shutil.which("node") is None:
        pytest.skip("Azurite is not in the cache; `make up` installs it")
    world = make_world(tmp_path_factory.mktemp("backup"))
    keyvault.mount(world.services)
    storage.mount(world.services)
    for vault in (SOURCE, BACKUP):
        world.put(VaultHandler, vault, vault_body())
    world.put(KeyHandler, f"{BACKUP}/keys/copies", {"properties": {"kty": "RSA", "keySize": 2048}})
    for account, containers in ((LETTERS, ["dead-letters"]), (COPIES, ["secrets", "dead-letters"])):
        world.put(StorageAccountHandler, account, account_body())
        for container in containers:
            path = f"{account}/blobServices/default/containers/{container}"
            world.put(ContainerHandler, path, {"properties": {}})
    world.rbac.grant("owner", *(one.action for one in Operation), f"{BLOBS}read", f"{BLOBS}write")
    with serving(world), pytest.MonkeyPatch.context() as patch:
        # aiohttp reads the trust store when it is imported, which may have been for another test.
        trust = ssl.create_default_context(cafile=str(world.services.config.state / "ca.pem"))
        patch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trust)
        yield world
    world.supervisor.end()


@pytest.fixture
def world(planes: World) -> Iterator[World]:
    """With the worker's roles, and without what another test put into the vault."""
    _grant_as_the_stack_does(planes)
    yield planes
    with _vault() as vault:
        for secret in list(vault.list_properties_of_secrets()):
            vault.begin_delete_secret(str(secret.name)).wait()
            vault.purge_deleted_secret(str(secret.name))


def _grant_as_the_stack_does(world: World) -> None:
    """Key Vault Secrets User, … Crypto Service Encryption User, Storage Blob Data Reader, the copy writer."""
    place = f"{GROUP}/providers/"
    grant = world.rbac.grant
    grant(WHO, Operation.GET.action, Operation.LIST.action, scope=place + SOURCE)
    key = f"{place}{BACKUP}/keys/copies"
    grant(WHO, *(one.action for one in (KeyOperation.GET, KeyOperation.WRAP, KeyOperation.UNWRAP)), scope=key)
    grant(WHO, f"{BLOBS}read", scope=f"{place}{LETTERS}/blobServices/default/containers/dead-letters")
    for container in ("secrets", "dead-letters"):
        scope = f"{place}{COPIES}/blobServices/default/containers/{container}"
        grant(WHO, f"{BLOBS}read", f"{BLOBS}add/action", scope=scope)


def _pass() -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            await (await assemble(SETTINGS, Credential(WHO), stack)).once()  # type: ignore[arg-type]

    asyncio.run(work())


def _failures(data: str) -> float:
    return REGISTRY.get_sample_value("backup_failures_total", {"data": data}) or 0


def _failing(data: str, work: Callable[[], None]) -> bool:
    before = _failures(data)
    work()
    return _failures(data) > before


def _vault() -> SecretClient:
    return SecretClient("https://kv-agents-prod.vault.azure.test", fakes.Credential("owner"), retry_total=0)


def _blobs(account: str = "stagentsprodbackup") -> BlobServiceClient:
    url = f"https://{account}.blob.storage.azure.test"
    return BlobServiceClient(url, fakes.Credential("owner"), retry_total=0)


def _copies(container: str) -> dict[str, bytes]:
    client = _blobs().get_container_client(container)
    return {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs()}


def _opened(name: str, blob: bytes) -> Secret:
    async def work() -> Secret:
        key = VaultKey(str(SETTINGS.copies.key), Credential(WHO))  # type: ignore[arg-type]
        try:
            return await unseal(blob, Name.parse(name), key)
        finally:
            await key.close()

    return asyncio.run(work())


def test_every_version_is_copied_once_and_can_be_had_back(world: World) -> None:
    with _vault() as vault:
        versions = {
            vault.set_secret("url", f"https://{number}", content_type="url", tags={"n": str(number)})
            .properties.version: number
            for number in (1, 2)
        }  # fmt: skip
        off = vault.set_secret("off", "secret", enabled=False).properties.version
    assert not _failing("secrets", _pass)
    first = _copies("secrets")
    assert {name for name in first if "/url/" in name} == {
        f"kv-agents-prod/url/{version}" for version in versions
    }
    assert off not in str(first)
    for name in (f"kv-agents-prod/url/{version}" for version in versions):
        found = _opened(name, first[name])
        number = versions[found.name.version]
        assert (found.value, found.content_type, found.tags) == (
            f"https://{number}",
            "url",
            {"n": str(number)},
        )
        properties = _blobs().get_blob_client("secrets", name).get_blob_properties()
        assert properties.metadata == {"created": str(found.created)}
    _pass()
    assert _copies("secrets") == first


def test_a_dead_letter_is_copied_and_replayed_from_its_copy(world: World) -> None:
    _blobs("stagentsprod").get_blob_client("dead-letters", LETTER).upload_blob(EVENT)
    assert not _failing("dead-letters", _pass)
    assert _copies("dead-letters") == {LETTER: EVENT}

    async def letters() -> list[Any]:
        source = DeadLetters(DeadLetterSettings(Endpoint=URL), Credential(WHO))  # type: ignore[arg-type,call-arg]
        try:
            return [letter async for letter in source.all("devops")]
        finally:
            await source.close()

    [letter] = asyncio.run(letters())
    assert letter.event == {"id": "1", "data": {}}


def test_a_copy_that_somebody_changed_is_found_out(world: World) -> None:
    with _vault() as vault:
        version = vault.set_secret("changed", "https://1").properties.version
    _pass()
    blob = _blobs().get_blob_client("secrets", f"kv-agents-prod/changed/{version}")
    content = bytearray(blob.download_blob().readall())
    content[-30] ^= 1
    blob.upload_blob(bytes(content), overwrite=True)
    assert _failing("secrets", _pass)


def test_the_worker_can_neither_change_nor_delete_what_it_wrote(world: World) -> None:
    with _vault() as vault:
        version = vault.set_secret("url", "https://1").properties.version
    _pass()
    service = BlobServiceClient(URL, fakes.Credential(WHO), retry_total=0)
    blob = service.get_blob_client("secrets", f"kv-agents-prod/url/{version}")
    for forbidden in (lambda: blob.upload_blob(b"", overwrite=True), blob.delete_blob):
        with pytest.raises(HttpResponseError) as refused:
            forbidden()
        assert refused.value.status_code == 403


@pytest.mark.parametrize(
    ("action", "data"),
    [
        (Operation.GET.action, "secrets"),
        (KeyOperation.WRAP.action, None),
        (KeyOperation.UNWRAP.action, "secrets"),
        (f"{BLOBS}add/action", "secrets"),
    ],
    ids=["no secrets", "no wrapping", "no unwrapping", "no writing"],
)
def test_without_one_of_its_roles_it_says_so(world: World, action: str, data: str | None) -> None:
    """Wrapping is done with the key's public half, which reading the key gives."""
    with _vault() as vault:
        vault.set_secret("url", "https://1")
    world.rbac.grants = {one for one in world.rbac.grants if one[0] != WHO or one[1] != action.lower()}
    assert _failing("secrets", _pass) == (data is not None)
