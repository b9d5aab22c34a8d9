"""The login endpoint: discovery, tokens by secret, and refusals in Entra's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest

from sandbox.config import TENANT_ID
from sandbox.entra import tokens
from tests.sandbox.clouds import Client, running

LOGIN = f"https://login.azure.test/{TENANT_ID}"


async def post(cloud: Client, version: str = "/v2.0", tenant: str = TENANT_ID, **changes: Any) -> Any:
    """A token request of the deployer, changed; None leaves a field out."""
    target = (
        {"scope": "https://vault.azure.test/.default"}
        if version
        else {"resource": "https://vault.azure.test"}
    )
    form = {**cloud.credentials, "grant_type": "client_credentials", **target, **changes}
    url = f"https://login.azure.test/{tenant}/oauth2{version}/token"
    return await cloud.http.post(url, data={key: value for key, value in form.items() if value is not None})


@pytest.mark.parametrize("version", ["", "/v2.0"])
async def test_tokens_are_verified_by_the_published_keys(cloud: Client, version: str) -> None:
    answer = (await post(cloud, version)).json()
    configuration = (await cloud.http.get(f"{LOGIN}{version}/.well-known/openid-configuration")).json()
    assert configuration["token_endpoint"] == f"{LOGIN}/oauth2{version}/token"
    keys = jwt.PyJWKSet.from_dict((await cloud.http.get(configuration["jwks_uri"])).json())
    token = answer["access_token"]
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="https://vault.azure.test")
    assert claims["iss"] == f"https://sts.azure.test/{TENANT_ID}/"
    assert claims["appid"] == cloud.credentials["client_id"]
    assert (claims["oid"], claims["sub"], claims["tid"]) == (cloud.object_id, cloud.object_id, TENANT_ID)
    assert (claims["idtyp"], claims["ver"], claims["exp"] - claims["iat"]) == ("app", "1.0", 3600)
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == (3599 if version else "3599")


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000218),
        ({"client_id": None}, 400, "invalid_request", 900144),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, 400, "unauthorized_client", 700016),
        ({"grant_type": None}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": None}, 400, "invalid_request", 900144),
        ({"scope": "https://vault.azure.test"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://evil.example/.default"}, 400, "invalid_resource", 500011),
        ({"scope": "https://vault.azure.test.evil.example/.default"}, 400, "invalid_resource", 500011),
        ({"tenant": "contoso"}, 400, "invalid_request", 90002),
        ({"tenant": "common"}, 400, "invalid_request", 90002),
        ({"client_assertion": "x"}, 400, "invalid_request", 900144),
    ],
)
async def test_refusals(cloud: Client, changes: dict[str, Any], status: int, error: str, number: int) -> None:
    answer = await post(cloud, **changes)
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert body["correlation_id"]
    assert body["trace_id"]


def test_the_deployers_secret_passes_through_any_command_line(cloud: Client) -> None:
    """`az login -p SECRET` takes what begins with a dash for an option."""
    assert cloud.credentials["client_secret"].isalnum()


async def test_discovery(cloud: Client) -> None:
    instance = (await cloud.http.get("https://login.azure.test/common/discovery/instance")).json()
    configuration = (await cloud.http.get(instance["tenant_discovery_endpoint"])).json()
    assert configuration["issuer"] == f"{LOGIN}/v2.0"
    common = await cloud.http.get("https://login.azure.test/common/v2.0/.well-known/openid-configuration")
    assert common.json()["issuer"] == "https://login.azure.test/{tenantid}/v2.0"
    unknown = await cloud.http.get("https://login.azure.test/x/v2.0/.well-known/openid-configuration")
    assert unknown.json()["error_codes"] == [90002]


async def test_expired_tokens_are_refused(cloud: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LIFETIME", -10)
    assert await cloud.refused("GET", "/subscriptions") == (401, "ExpiredAuthenticationToken")


async def test_forged_tokens_are_refused(cloud: Client, tmp_path: Path) -> None:
    async with running(tmp_path / "other", own_key=True) as other:
        cloud.tokens = {"https://management.azure.test": await other.token()}
    assert await cloud.refused("GET", "/subscriptions") == (401, "InvalidAuthenticationToken")
    claims = jwt.decode(cloud.tokens["https://management.azure.test"], options={"verify_signature": False})
    cloud.tokens = {"https://management.azure.test": jwt.encode(claims, "", algorithm="none")}
    assert await cloud.refused("GET", "/subscriptions") == (401, "InvalidAuthenticationToken")


async def test_identity_and_keys_survive_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, own_key=True) as cloud:
        token = await cloud.token()
        before = (tmp_path / "deployer.json").read_text()
    async with running(tmp_path, own_key=True) as cloud:
        assert (tmp_path / "deployer.json").read_text() == before
        cloud.tokens = {"https://management.azure.test": token}
        assert len((await cloud.get("/subscriptions"))["value"]) == 1
    assert ((tmp_path / "deployer.json").stat().st_mode & 0o777) == 0o600
    (tmp_path / "deployer.json").write_text("damaged")
    async with running(tmp_path) as cloud:
        assert len((await cloud.get("/subscriptions"))["value"]) == 1
