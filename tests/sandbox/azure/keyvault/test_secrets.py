"""The data plane through the unmodified azure-keyvault-secrets client."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.keyvault.secrets import SecretClient

from sandbox.azure import keyvault
from sandbox.azure.keyvault.access import Operation
from sandbox.azure.keyvault.vaults import VaultHandler
from sandbox.config import TENANT_ID
from tests.sandbox.azure.conftest import World
from tests.sandbox.azure.fakes import Credential, token

VAULT = "Microsoft.KeyVault/vaults/kv-agents-dev"
URL = "https://kv-agents-dev.vault.azure.test"


def vault_body(**properties: Any) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "properties": {
            "tenantId": TENANT_ID,
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
            **properties,
        },
    }


@pytest.fixture
def plane(world: World, serve: Callable[[], None]) -> World:
    keyvault.mount(world.services)
    world.put(VaultHandler, VAULT, vault_body())
    world.rbac.grant("officer", *[operation.action for operation in Operation])
    serve()
    return world


@pytest.fixture
def client(plane: World) -> Iterator[SecretClient]:
    with SecretClient(URL, Credential("officer"), retry_total=0) as one:
        yield one


def test_set_and_get_keep_every_attribute(client: SecretClient) -> None:
    expires = dt.datetime(2031, 1, 2, tzinfo=dt.UTC)
    starts = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)
    made = client.set_secret(
        "Teams-Webhook",
        "https://x",
        content_type="url",
        tags={"a": "b"},
        expires_on=expires,
        not_before=starts,
    )
    got = client.get_secret("teams-webhook")
    assert got.value == "https://x"
    assert got.name == "Teams-Webhook"
    assert (got.properties.content_type, got.properties.tags) == ("url", {"a": "b"})
    assert (got.properties.expires_on, got.properties.not_before) == (expires, starts)
    assert got.properties.version == made.properties.version
    assert got.properties.enabled
    assert got.properties.recovery_level == "Recoverable+Purgeable"
    assert got.properties.recoverable_days == 90


def test_versions_are_kept_and_the_last_one_is_current(client: SecretClient) -> None:
    first = client.set_secret("k", "1").properties.version
    second = client.set_secret("k", "2").properties.version
    assert first != second
    assert client.get_secret("k").value == "2"
    assert client.get_secret("k", first).value == "1"
    assert {p.version for p in client.list_properties_of_secret_versions("k")} == {first, second}


def test_lists_page_by_page_without_values(client: SecretClient) -> None:
    names = [f"s-{number:03}" for number in range(57)]
    for name in names:
        client.set_secret(name, "v")
    pages = list(client.list_properties_of_secrets(max_page_size=20).by_page())
    assert [p.name for page in pages for p in page] == names
    assert len(list(client.list_properties_of_secrets().by_page())) == 3


def test_update_changes_what_is_sent_alone(client: SecretClient) -> None:
    client.set_secret("k", "v", content_type="t", tags={"a": "b"})
    client.update_secret_properties("k", content_type="u")
    got = client.get_secret("k")
    assert (got.value, got.properties.content_type, got.properties.tags) == ("v", "u", {"a": "b"})


def test_a_disabled_secret_is_refused_and_an_expired_one_answered(client: SecretClient) -> None:
    client.set_secret("off", "v", enabled=False)
    with pytest.raises(HttpResponseError) as refused:
        client.get_secret("off")
    assert refused.value.status_code == 403
    assert refused.value.error.innererror["code"] == "SecretDisabled"
    past = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)
    client.set_secret("old", "v", expires_on=past)
    assert client.get_secret("old").value == "v"


def test_delete_recover_purge(client: SecretClient) -> None:
    client.set_secret("k", "1")
    client.set_secret("k", "2")
    deleted = client.begin_delete_secret("k").result()
    assert (deleted.scheduled_purge_date - deleted.deleted_date).days == 90
    with pytest.raises(ResourceNotFoundError, match="was not found in this key vault"):
        client.get_secret("k")
    with pytest.raises(ResourceExistsError, match="deleted but recoverable"):
        client.set_secret("k", "3")
    assert [d.name for d in client.list_deleted_secrets()] == ["k"]
    client.begin_recover_deleted_secret("k").wait()
    assert client.get_secret("k").value == "2"
    assert len(list(client.list_properties_of_secret_versions("k"))) == 2
    client.begin_delete_secret("k").wait()
    client.purge_deleted_secret("k")
    with pytest.raises(ResourceNotFoundError):
        client.get_deleted_secret("k")
    assert client.set_secret("k", "new").value == "new"
    assert len(list(client.list_properties_of_secret_versions("k"))) == 1


def test_backup_restores_every_version_and_nothing_else_does(client: SecretClient) -> None:
    client.set_secret("k", "1")
    client.set_secret("k", "2")
    backup = client.backup_secret("k")
    with pytest.raises(ResourceExistsError):
        client.restore_secret_backup(backup)
    client.begin_delete_secret("k").wait()
    client.purge_deleted_secret("k")
    client.restore_secret_backup(backup)
    assert client.get_secret("k").value == "2"
    assert len(list(client.list_properties_of_secret_versions("k"))) == 2
    with pytest.raises(HttpResponseError, match="malformed"):
        client.restore_secret_backup(base64.b64encode(backup)[:40])


@pytest.mark.parametrize("name", ["under_score", "a" * 128, "dot.ted"])
def test_bad_names_are_refused(client: SecretClient, name: str) -> None:
    with pytest.raises(HttpResponseError, match="invalid name"):
        client.set_secret(name, "v")


def test_every_operation_asks_for_its_own_action(plane: World) -> None:
    with SecretClient(URL, Credential("officer")) as officer:
        officer.set_secret("k", "v")
        backup = officer.backup_secret("k")
    calls: dict[str, Callable[[SecretClient], Any]] = {
        "getSecret/action": lambda c: c.get_secret("k"),
        "setSecret/action": lambda c: c.set_secret("k", "v"),
        "readMetadata/action": lambda c: list(c.list_properties_of_secrets()),
        "update/action": lambda c: c.update_secret_properties("k", content_type="x"),
        "backup/action": lambda c: c.backup_secret("k"),
        "restore/action": lambda c: c.restore_secret_backup(backup),
        "delete": lambda c: c.begin_delete_secret("k"),
        "recover/action": lambda c: c.begin_recover_deleted_secret("k"),
        "purge/action": lambda c: c.purge_deleted_secret("k"),
    }
    for action, call in calls.items():
        everything_else = [o.action for o in Operation if not o.action.endswith(f"/{action}")]
        who = f"all-but-{action}"
        plane.rbac.grant(who, *everything_else)
        with (
            SecretClient(URL, Credential(who), retry_total=0) as limited,
            pytest.raises(HttpResponseError) as refused,
        ):
            call(limited)
        assert refused.value.status_code == 403, action
        assert refused.value.error.innererror["code"] == "ForbiddenByRbac"
        assert f"Microsoft.KeyVault/vaults/secrets/{action}'" in refused.value.message
        assert f"oid={who}" in refused.value.message


def test_a_grant_on_one_secret_opens_no_other(plane: World) -> None:
    with SecretClient(URL, Credential("officer")) as officer:
        officer.set_secret("mine", "v")
        officer.set_secret("other", "v")
    vault = plane.store.list(type=VaultHandler.type)[0]
    plane.rbac.grant("agent", Operation.GET.action, scope=f"{vault.id}/secrets/mine")
    with SecretClient(URL, Credential("agent"), retry_total=0) as agent:
        assert agent.get_secret("mine").value == "v"
        with pytest.raises(HttpResponseError, match="not authorized"):
            agent.get_secret("other")


def test_without_rbac_access_policies_decide(plane: World) -> None:
    policies = [{"tenantId": TENANT_ID, "objectId": "reader", "permissions": {"secrets": ["Get", "set"]}}]
    plane.put(VaultHandler, VAULT, vault_body(enableRbacAuthorization=False, accessPolicies=policies))
    with SecretClient(URL, Credential("reader"), retry_total=0) as reader:
        reader.set_secret("k", "v")
        assert reader.get_secret("k").value == "v"
        with pytest.raises(HttpResponseError, match="does not have secrets list permission"):
            list(reader.list_properties_of_secrets())


def test_wrong_audience_is_challenged(plane: World) -> None:
    class Wrong(Credential):
        def get_token(self, *scopes: str, **_: Any) -> Any:
            return super().get_token("https://management.azure.test")

    with (
        SecretClient(URL, Wrong("officer"), retry_total=0) as client,
        pytest.raises(ClientAuthenticationError),
    ):
        client.get_secret("k")


@pytest.fixture
def raw(plane: World, trusted: Callable[[], Any]) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {token('officer', 'https://vault.azure.test')}"}
    with httpx.Client(base_url=URL, verify=trusted(), headers=headers, params={"api-version": "7.4"}) as one:
        yield one


def test_the_challenge_names_authority_and_resource(raw: httpx.Client) -> None:
    answer = raw.get("/secrets", headers={"authorization": ""})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "Unauthorized"
    assert answer.headers["www-authenticate"] == (
        f'Bearer authorization="https://login.azure.test/{TENANT_ID}", resource="https://vault.azure.test"'
    )


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("PUT", "/secrets/k", b"{", 400),
        ("PUT", "/secrets/k", b"[]", 400),
        ("PUT", "/secrets/k", b"\xff", 400),
        ("PUT", "/secrets/k", b"{}", 400),
        ("PUT", "/secrets/k", b'{"value": 3}', 400),
        ("PUT", "/secrets/k", b'{"value": "v", "attributes": {"enabled": "yes"}}', 400),
        ("PUT", "/secrets/k", b'{"value": "v", "attributes": {"exp": "tomorrow"}}', 400),
        ("PUT", "/secrets/k", b'{"value": "v", "tags": {"a": 1}}', 400),
        ("PUT", "/secrets/k", b'{"value": "' + b"x" * 25_601 + b'"}', 400),
        ("GET", "/secrets?maxresults=26", b"", 400),
        ("GET", "/secrets?maxresults=many", b"", 400),
        ("GET", "/secrets?%24skiptoken=zzz", b"", 400),
        ("GET", "/secrets?api-version=1.0", b"", 400),
        ("POST", "/secrets/k", b"", 405),
        ("GET", "/nothing", b"", 404),
    ],
)
def test_bad_requests_get_the_services_error_shape(
    raw: httpx.Client, method: str, path: str, content: bytes, status: int
) -> None:
    path, _, query = path.partition("?")
    params = {"api-version": "7.4", **dict(httpx.QueryParams(query))}
    answer = raw.request(method, path, content=content, params=params)
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) >= {"code", "message"}


def test_missing_api_version(raw: httpx.Client) -> None:
    raw.params = httpx.QueryParams()
    answer = raw.get("/secrets")
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "api-version must be specified")


def test_values_are_not_readable_on_disk(client: SecretClient, plane: World) -> None:
    client.set_secret("k", "a-very-recognisable-value")
    for file in plane.services.config.state.rglob("*"):
        if file.is_file():
            assert b"a-very-recognisable-value" not in file.read_bytes(), file
