"""Graph: service principals found by the names that clients know them by."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.entra.principals import MANAGED_IDENTITY
from tests.sandbox.clouds import Client

GRAPH = "https://graph.azure.test/v1.0"


async def ask(cloud: Client, method: str, path: str, body: Any = None, **query: str) -> Any:
    token = await cloud.token("https://graph.azure.test")
    headers = {"Authorization": f"Bearer {token}"}
    return await cloud.http.request(method, GRAPH + path, params=query or None, json=body, headers=headers)


@pytest.mark.parametrize(
    "text",
    ["servicePrincipalNames/any(c:c eq '{id}')", "appId eq '{id}'", "displayName eq 'agents-deployer'"],
)
async def test_finding_a_principal(cloud: Client, text: str) -> None:
    found = await ask(
        cloud, "GET", "/servicePrincipals", **{"$filter": text.format(id=cloud.credentials["client_id"])}
    )
    (principal,) = found.json()["value"]
    assert principal["id"] == cloud.object_id
    assert principal["servicePrincipalType"] == "Application"
    assert (await ask(cloud, "GET", f"/servicePrincipals/{cloud.object_id}")).json() == principal
    client_id = cloud.credentials["client_id"]
    assert (await ask(cloud, "GET", f"/servicePrincipals(appId='{client_id}')")).json() == principal


async def test_naming_object_ids(cloud: Client) -> None:
    object_id, _ = cloud.cloud.services.principals.create(
        "id-one", MANAGED_IDENTITY, resource_id="/subscriptions/s/userAssignedIdentities/id-one"
    )
    body = {"ids": [object_id, "00000000-0000-0000-0000-000000000000"], "types": ["servicePrincipal"]}
    (found,) = (await ask(cloud, "POST", "/directoryObjects/getByIds", body)).json()["value"]
    assert (found["displayName"], found["servicePrincipalType"]) == ("id-one", "ManagedIdentity")
    assert found["alternativeNames"][0] == "isExplicit=True"


@pytest.mark.parametrize(
    ("method", "path", "body", "refusal"),
    [
        ("GET", "/servicePrincipals/none", None, (404, "Request_ResourceNotFound")),
        ("GET", "/planets", None, (404, "Request_ResourceNotFound")),
        ("GET", "/servicePrincipals?$filter=x", None, (400, "Request_UnsupportedQuery")),
        ("POST", "/directoryObjects/getByIds", [], (400, "Request_BadRequest")),
    ],
)
async def test_refusals(cloud: Client, method: str, path: str, body: Any, refusal: tuple[int, str]) -> None:
    answer = await ask(cloud, method, path, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == refusal


async def test_a_token_for_something_else_is_refused(cloud: Client) -> None:
    bare = await cloud.http.get(f"{GRAPH}/servicePrincipals")
    assert bare.status_code == 401
    headers = {"Authorization": f"Bearer {await cloud.token()}"}
    assert (await cloud.http.get(f"{GRAPH}/servicePrincipals", headers=headers)).status_code == 401
