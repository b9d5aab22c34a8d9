"""Keys in both planes, through the unmodified azure-keyvault-keys client and as ARM runs a PUT."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm, KeyWrapAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.azure import keyvault
from sandbox.azure.keyvault.access import KeyOperation
from sandbox.azure.keyvault.arm_keys import KeyHandler
from sandbox.azure.keyvault.vaults import VaultHandler
from tests.sandbox.azure.conftest import World
from tests.sandbox.azure.fakes import Credential, token
from tests.sandbox.azure.keyvault.test_secrets import URL, VAULT, vault_body

KEY = f"{VAULT}/keys/copies"
DATA_KEY = os.urandom(32)


def _key(**properties: Any) -> dict[str, Any]:
    return {"properties": {"kty": "RSA", "keySize": 2048, **properties}}


@pytest.fixture
def plane(world: World, serve: Callable[[], None]) -> World:
    keyvault.mount(world.services)
    world.put(VaultHandler, VAULT, vault_body())
    world.rbac.grant("officer", *[operation.action for operation in KeyOperation])
    serve()
    return world


@pytest.fixture
def client(plane: World) -> Iterator[KeyClient]:
    with KeyClient(URL, Credential("officer"), retry_total=0) as one:
        yield one


def _remote(kid: str, who: str) -> CryptographyClient:
    """Asks the vault also for what could be done with the public half."""
    return CryptographyClient(kid, Credential(who), retry_total=0)


def test_arm_makes_a_key_that_the_data_plane_shows(plane: World, client: KeyClient) -> None:
    made = plane.put(KeyHandler, KEY, _key(keyOps=["wrapKey", "unwrapKey"]))
    got = client.get_key("copies")
    assert got.id == made.properties["keyUriWithVersion"]
    assert (got.key_type, got.key_operations) == ("RSA", ["wrapKey", "unwrapKey"])
    assert len(got.key.n) * 8 == made.properties["keySize"] == 2048


def test_another_put_makes_no_other_version(plane: World, client: KeyClient) -> None:
    first = plane.put(KeyHandler, KEY, _key())
    again = plane.put(KeyHandler, KEY, _key(keySize=4096, keyOps=["sign"]))
    assert again.properties == first.properties
    assert [one.version for one in client.list_properties_of_key_versions("copies")] == [
        client.get_key("copies").properties.version
    ]


@pytest.mark.parametrize("algorithm", [KeyWrapAlgorithm.rsa_oaep_256, KeyWrapAlgorithm.rsa_oaep])
def test_what_was_wrapped_is_unwrapped_by_the_same_version_only(
    client: KeyClient, algorithm: KeyWrapAlgorithm
) -> None:
    first, second = client.create_rsa_key("copies", size=2048), client.create_rsa_key("copies", size=2048)
    wrapped = _remote(first.id, "officer").wrap_key(algorithm, DATA_KEY)
    assert wrapped.encrypted_key != DATA_KEY
    assert _remote(first.id, "officer").unwrap_key(algorithm, wrapped.encrypted_key).key == DATA_KEY
    with pytest.raises(HttpResponseError) as refused:
        _remote(second.id, "officer").unwrap_key(algorithm, wrapped.encrypted_key)
    assert refused.value.status_code == 400


def test_the_public_half_encrypts_for_the_private_one(client: KeyClient) -> None:
    """A real RSA key: what any library encrypts with its modulus, the vault decrypts."""
    key = client.create_rsa_key("copies", size=3072)
    public = rsa.RSAPublicNumbers(
        int.from_bytes(key.key.e, "big"), int.from_bytes(key.key.n, "big")
    ).public_key()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    sealed = public.encrypt(b"text", oaep)
    done = _remote(key.id, "officer").decrypt(EncryptionAlgorithm.rsa_oaep_256, sealed)
    assert (done.plaintext, done.key_id) == (b"text", key.id)


def _ask(plane: World, who: str, operation: str, **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token(who, 'https://vault.azure.test')}"}
    value = base64.urlsafe_b64encode(DATA_KEY).rstrip(b"=").decode()
    with httpx.Client(verify=os.environ["SSL_CERT_FILE"]) as http:
        return http.post(
            f"{URL}/keys/copies/{operation}",
            params={"api-version": "7.5"},
            json={"alg": "RSA-OAEP-256", "value": value, **body},
            headers=headers,
        )


def test_who_may_wrap_may_neither_unwrap_nor_read(plane: World, client: KeyClient) -> None:
    plane.put(KeyHandler, KEY, _key())
    plane.rbac.grant("writer", KeyOperation.WRAP.action)
    wrapped = _ask(plane, "writer", "wrapkey")
    assert wrapped.status_code == 200
    refused = _ask(plane, "writer", "unwrapkey", value=wrapped.json()["value"])
    assert refused.status_code == 403
    assert refused.json()["error"]["innererror"]["code"] == "ForbiddenByRbac"
    with pytest.raises(HttpResponseError) as unread:
        KeyClient(URL, Credential("writer"), retry_total=0).get_key("copies")
    assert unread.value.status_code == 403


def test_a_key_does_only_what_its_operations_say(plane: World) -> None:
    plane.put(KeyHandler, KEY, _key(keyOps=["wrapKey", "unwrapKey"]))
    refused = _ask(plane, "officer", "encrypt")
    assert refused.status_code == 403
    assert refused.json()["error"]["innererror"]["code"] == "KeyOperationForbidden"


def test_a_disabled_key_does_nothing(plane: World) -> None:
    plane.put(KeyHandler, KEY, _key(attributes={"enabled": False}))
    assert _ask(plane, "officer", "wrapkey").json()["error"]["innererror"]["code"] == "KeyDisabled"


@pytest.mark.parametrize(
    "body", [{"alg": "A256GCM"}, {"value": "***"}, {"value": ""}, {"alg": None}], ids=str
)
def test_what_is_malformed_is_refused(plane: World, body: dict[str, Any]) -> None:
    plane.put(KeyHandler, KEY, _key())
    answer = _ask(plane, "officer", "wrapkey", **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadParameter")


def test_deleted_is_recovered_with_every_version(client: KeyClient) -> None:
    key = client.create_rsa_key("copies", size=2048)
    wrapped = _remote(key.id, "officer").wrap_key(KeyWrapAlgorithm.rsa_oaep_256, DATA_KEY)
    client.begin_delete_key("copies").wait()
    with pytest.raises(ResourceNotFoundError):
        client.get_key("copies")
    with pytest.raises(ResourceExistsError):
        client.create_rsa_key("copies", size=2048)
    client.begin_recover_deleted_key("copies").wait()
    unwrapped = _remote(key.id, "officer").unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.encrypted_key)
    assert unwrapped.key == DATA_KEY


def test_keys_come_back_with_their_vault_and_go_with_its_purge(plane: World, client: KeyClient) -> None:
    made = plane.put(KeyHandler, KEY, _key())
    vault = plane.store.get(made.id.text.rsplit("/keys", 1)[0])
    assert vault is not None
    plane.delete([VaultHandler, KeyHandler], vault)
    recovered = vault_body()
    recovered["properties"]["createMode"] = "recover"
    plane.put(VaultHandler, VAULT, recovered)
    assert client.get_key("copies").id == made.properties["keyUriWithVersion"]
    back = plane.store.get(made.id)
    assert back is not None
    assert back.properties == made.properties
    plane.delete([VaultHandler, KeyHandler], vault)
    plane.operate(
        VaultHandler, "POST", "/deletedVaults/{name}/purge", name=vault.id.name, location="westeurope"
    )
    plane.put(VaultHandler, VAULT, vault_body())
    with pytest.raises(ResourceNotFoundError):
        client.get_key("copies")
