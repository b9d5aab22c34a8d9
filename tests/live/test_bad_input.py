"""Bad input on every plane: refused with 4xx in the service's own shape, at once, and nothing is changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.config import SUBSCRIPTION_ID, TENANT_ID
from tests.endpoints import ABSENT, ENDPOINTS, RESOURCES
from tests.live.refusals import refusal
from tests.planes import GROUP, MANAGEMENT, SUFFIX, Endpoint, Wire

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
_LEVELS, _LARGE = 1000, 2 * 1024 * 1024

#: Wrong wherever a JSON object is taken, whatever the object is for.
NO_OBJECTS: dict[str, tuple[bytes, str | None]] = {
    "malformed": (b"{nope", JSON),
    "truncated": (b'{"location": "westeurope"', JSON),
    "array": (b"[1, 2]", JSON),
    "array of objects": (b'[{"id": "bad"}]', JSON),
    "text": (b'"text"', JSON),
    "number": (b"42", JSON),
    "null": (b"null", JSON),
    "boolean": (b"true", JSON),
    "deep objects": (b'{"tags": ' + b'{"a":' * _LEVELS + b"1" + b"}" * (_LEVELS + 1), JSON),
    "deep arrays": (b'{"tags": ' + b"[" * _LEVELS + b"]" * _LEVELS + b"}", JSON),
    "very deep": (b"[" * 100_000, JSON),
    "large number": (b'{"location": ' + b"9" * 10_000 + b"}", JSON),
    "infinity": (b'{"id": "bad", "location": 1e999}', JSON),
    "NaN": (b'{"id": "bad", "location": NaN}', JSON),
    "half a surrogate pair": (b'{"location": "\\ud800", "value": "\\ud800", "id": "\\ud800"}', JSON),
    "invalid UTF-8": (b'{"location": "\xff\xfe", "value": "\xff\xfe", "id": "\xff"}', JSON),
    "UTF-16": ('{"location": "westeurope", "value": "x", "id": "bad"}'.encode("utf-16"), JSON),
    "another type": (b'{"location": "westeurope", "value": "x"}', "text/plain"),
    "XML": (b"<a/>", "application/xml"),
}
#: JSON objects, and none at all, that no operation which needs one can be asked with.
WRONG_OBJECTS: dict[str, tuple[bytes, str | None]] = {
    "large": (b'{"properties": {"unknown": "' + b"a" * _LARGE + b'"}}', JSON),
    "wrong kinds": (b'{"properties": [1], "value": {}, "id": 1, "ids": 1, "input": 1, "query": 1}', JSON),
    "empty": (b"", JSON),
    "nothing": (b"", None),
}
FORMS: dict[str, tuple[bytes, str | None]] = {
    **NO_OBJECTS,
    **WRONG_OBJECTS,
    "broken multipart": (b"nope", "multipart/form-data; boundary=x"),
    "no boundary": (b"nope", "multipart/form-data"),
    "too many fields": (b"&".join(b"a%d=1" % number for number in range(20_000)), FORM),
    "not UTF-8": (b"grant_type=%ff%fe&client_id=\xff", FORM),
    "null bytes": (b"grant_type=client_credentials&client_id=%00&client_secret=%00&scope=a/.default", FORM),
}


# What must stay as it is.


def _get(wire: Wire, path: str, **query: str) -> Any:
    answer = wire.send("arm", "GET", path, {"api-version": wire.version(path), **query})
    return answer.json() if answer.status_code == 200 else answer.status_code


def _changes(wire: Wire, since: str) -> list[str]:
    """The activity log's successes under the group."""
    path = f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.Insights/eventtypes/management/values"
    wanted = f"eventTimestamp ge '{since}' and resourceGroupName eq 'rg-agents-dev'"
    query = {"api-version": "2015-04-01", "$filter": wanted}
    events = wire.send("arm", "GET", path, query).json()["value"]
    return [
        f"{event['operationName']['value']} {event['resourceId']}"
        for event in events
        if event["status"]["value"] in ("Succeeded", "Accepted")
        and event["operationName"]["value"].rpartition("/")[2] in ("write", "delete")
    ]


def _state(wire: Wire) -> dict[str, Any]:
    """Everything that the bodies were aimed at."""
    state = {path: _get(wire, path) for path in (*RESOURCES, *ABSENT)}
    state["secrets"] = wire.send("vault", "GET", "/secrets", {"api-version": "7.4"}).json()
    key = {"x-ms-documentdb-partitionkey": '["bad-input"]'}
    documents = wire.send("cosmos", "GET", "/dbs/AgentsDB/colls/Events/docs", headers=key)
    state["documents"] = documents.json()["_count"]
    tags = wire.send(
        "registry",
        "GET",
        "/acr/v1/agents-api-notification/_tags",
        token=wire.registry_token("repository:agents-api-notification:metadata_read"),
    )
    state["tags"] = tags.json()
    return state


@pytest.fixture(scope="module")
def unchanged(wire: Wire) -> Iterator[None]:
    """Looks at everything before and after the module's bodies were sent."""
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    before = _state(wire)
    assert all(before[path] in (404, 405) for path in ABSENT), "left over from an earlier run"
    yield
    after = _state(wire)
    assert {name: value for name, value in after.items() if before[name] != value} == {}
    assert _changes(wire, since) == []


# Bodies.


def _bodies(endpoint: Endpoint) -> dict[str, tuple[bytes, str | None]]:
    if endpoint.takes == "form":
        return FORMS
    if endpoint.takes == "nothing":
        return NO_OBJECTS
    wrong = {name: body for name, body in WRONG_OBJECTS.items() if body[0] or endpoint.takes == "json"}
    return {**NO_OBJECTS, **wrong}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_bad_bodies_are_refused_and_change_nothing(wire: Wire, unchanged: None, endpoint: Endpoint) -> None:
    wrong = {
        name: problem
        for name, (content, media) in _bodies(endpoint).items()
        if (problem := refusal(endpoint.plane, wire.to(endpoint, content, media)))
    }
    assert wrong == {}


_CLOSED = [endpoint for endpoint in ENDPOINTS if not endpoint.open]


@pytest.mark.parametrize("endpoint", _CLOSED, ids=lambda endpoint: endpoint.name)
def test_bodies_are_not_read_for_who_shows_no_token(wire: Wire, unchanged: None, endpoint: Endpoint) -> None:
    """Nobody learns what a body would have done."""
    answer = wire.to(endpoint, b"{nope", JSON, token=None)
    assert answer.status_code == 401, answer.text


# Addresses.

_ARM = {"api-version": "2024-03-01"}
_VAULT = {"api-version": "7.4"}
_IN_GROUP = f"{GROUP}/providers"


@pytest.mark.parametrize(
    "address",
    [
        # Versions.
        ("arm", "GET", GROUP, {}),
        ("arm", "GET", GROUP, {"api-version": ""}),
        ("arm", "GET", GROUP, {"api-version": "yesterday"}),
        ("arm", "GET", GROUP, {"api-version": "1999-01-01"}),
        ("arm", "GET", GROUP, {"api-version": "2024-03-01'; DROP TABLE resources;--"}),
        ("arm", "GET", "/metadata/endpoints", {}),
        ("arm", "GET", "/metadata/endpoints", {"api-version": "nonsense"}),
        ("vault", "GET", "/secrets", {}),
        ("vault", "GET", "/secrets", {"api-version": "1.0"}),
        ("model", "POST", "/openai/deployments/gpt-5.4-mini/chat/completions", {}),
        ("model", "POST", "/openai/deployments/gpt-5.4-mini/chat/completions", {"api-version": "x"}),
        # Resource ids and names.
        ("arm", "GET", "/", _ARM),
        ("arm", "GET", "/nonsense", _ARM),
        ("arm", "GET", "/subscriptions", {}),
        ("arm", "GET", "/subscriptions/nonsense", _ARM),
        ("arm", "GET", f"/subscriptions/{TENANT_ID}/resourceGroups/rg-agents-dev", _ARM),
        ("arm", "GET", f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/../resourceGroups/x", _ARM),
        ("arm", "GET", f"{GROUP}/providers", _ARM),
        ("arm", "GET", f"{_IN_GROUP}/Microsoft.Nowhere/things/x", _ARM),
        ("arm", "GET", f"{_IN_GROUP}/Microsoft.KeyVault/things/x", _ARM),
        ("arm", "GET", f"{_IN_GROUP}/Microsoft.KeyVault/vaults//kv-agents-dev", _ARM),
        (
            "arm",
            "GET",
            f"{_IN_GROUP}/Microsoft.KeyVault/vaults/%2e%2e%2f%2e%2e",
            {"api-version": "2023-07-01"},
        ),
        ("arm", "GET", f"{_IN_GROUP}/Microsoft.KeyVault/vaults/%00", {"api-version": "2023-07-01"}),
        ("arm", "GET", f"{_IN_GROUP}/Microsoft.KeyVault/vaults/%ff%fe", {"api-version": "2023-07-01"}),
        ("arm", "GET", f"{_IN_GROUP}/Microsoft.KeyVault/vaults/{'a' * 4000}", {"api-version": "2023-07-01"}),
        ("arm", "PROPFIND", GROUP, _ARM),
        ("arm", "GET", f"{GROUP}/resources", {**_ARM, "$filter": "nonsense ((("}),
        ("graph", "GET", "/v1.0/servicePrincipals", {"$filter": "nonsense ((("}),
        ("graph", "GET", "/v1.0/servicePrincipals/nobody", {}),
        ("graph", "GET", "/v1.0/nonsense", {}),
        ("graph", "DELETE", "/v1.0/users", {}),
        ("vault", "GET", "/", _VAULT),
        ("vault", "GET", "/nonsense", _VAULT),
        ("vault", "GET", "/secrets/no_such_name", _VAULT),
        ("vault", "GET", "/secrets/absent", _VAULT),
        ("vault", "GET", "/secrets/absent/nonsense", _VAULT),
        ("vault", "GET", "/secrets/%2e%2e%2fkeys", _VAULT),
        ("vault", "GET", "/secrets/%00", _VAULT),
        ("vault", "GET", f"/secrets/{'a' * 128}", _VAULT),
        ("vault", "GET", "/secrets", {**_VAULT, "maxresults": "many"}),
        ("vault", "GET", "/secrets", {**_VAULT, "$skiptoken": "nonsense"}),
        ("vault", "PROPFIND", "/secrets", _VAULT),
        ("model", "GET", "/", {}),
        ("model", "GET", "/openai/v1/models/absent", {}),
        ("model", "GET", "/openai/v1/models/%2e%2e", {}),
        ("model", "DELETE", "/openai/v1/models", {}),
        ("cosmos", "GET", "/nonsense", {}),
        ("cosmos", "GET", "/dbs/Absent", {}),
        ("cosmos", "GET", "/dbs/AgentsDB/colls/Absent", {}),
        ("cosmos", "GET", "/dbs/AgentsDB/colls/Events/docs/%2e%2e%2f%2e%2e", {}),
        ("cosmos", "GET", "/dbs/AgentsDB/colls/Events/docs/%00", {}),
        ("cosmos", "GET", "/dbs/AgentsDB/colls/Events/docs/%ff", {}),
        ("cosmos", "PROPFIND", "/dbs/AgentsDB/colls/Events/docs", {}),
        ("registry", "GET", "/", {}),
        ("registry", "GET", "/v2/nonsense", {}),
        ("registry", "GET", "/v2/agents-api-notification/manifests/absent", {}),
        ("registry", "GET", "/v2/agents-api-notification/manifests/%2e%2e%2f%2e%2e", {}),
        ("registry", "GET", "/v2/agents-api-notification/blobs/sha256:nonsense", {}),
        ("registry", "GET", "/v2/%2e%2e/%2e%2e/etc/tags/list", {}),
        ("registry", "GET", "/acr/v1/%2e%2e%2f%2e%2e/_tags", {}),
        ("registry", "GET", "/acr/v1/agents-api-notification/_tags", {"n": "many"}),
        ("registry", "GET", "/oauth2/exchange", {}),
        ("registry", "GET", "/oauth2/token", {"scope": "nonsense"}),
        ("entra", "GET", "/", {}),
        ("entra", "GET", f"/{TENANT_ID}/oauth2/v2.0/token", {}),
        ("entra", "POST", "/nonsense/oauth2/v2.0/token", {}),
        ("entra", "GET", "/nonsense/v2.0/.well-known/openid-configuration", {}),
        ("hooks", "POST", "/absent/authorize", {}),
        ("hooks", "POST", "/%2e%2e/authorize", {}),
        ("hooks", "GET", "/", {}),
        ("tasks", "GET", "/acragentsdev/source/../../../azure.db", {}),
        ("tasks", "GET", "/acragentsdev/source/%2e%2e/%2e%2e/azure.db", {}),
        ("tasks", "PUT", "/acragentsdev/source/x", {"sig": "nope", "se": "9999", "sp": "cw"}),
        ("tasks", "DELETE", "/acragentsdev/source/x", {}),
        ("agent", "GET", "/api/notification/execute", {}),
        ("agent", "GET", "/api/notification/executions/nonsense", {}),
        ("agent", "GET", "/api/notification/nonsense", {}),
    ],
)
def test_bad_addresses_arerefusal(
    wire: Wire, unchanged: None, address: tuple[str, str, str, dict[str, str]]
) -> None:
    answer = wire.send(*address)
    plane = address[0]
    assert refusal(plane, answer) is None


#: Types whose names are letters, digits and little else.
_STRICTLY_NAMED = [
    path
    for path in ABSENT
    if path.split("/")[-2]
    in (
        *("userAssignedIdentities", "virtualNetworks", "registries", "managedClusters", "agentPools"),
        *("databaseAccounts", "vaults", "secrets", "workspaces", "storageAccounts"),
    )
    or path.endswith("/accounts/oai-bad-input")
]


@pytest.mark.parametrize(
    "name", ["../x", "%2e%2e", "a%2fb", "a b", "-", "ü", "a" * 300, "%00", "a;b", "'", "."]
)
@pytest.mark.parametrize("resource", _STRICTLY_NAMED)
def test_bad_names_make_nothing(wire: Wire, unchanged: None, resource: str, name: str) -> None:
    path = f"{resource.rpartition('/')[0]}/{name}"
    body = b'{"location": "westeurope", "properties": {}}'
    query = {"api-version": wire.version(resource)}
    answer = wire.send("arm", "PUT", path, query, content=body, headers={"content-type": JSON})
    assert refusal("arm", answer) is None


@pytest.mark.parametrize(
    "host",
    [
        f"nowhere.{SUFFIX}",
        f"kv-absent.vault.{SUFFIX}",
        f"absent.documents.{SUFFIX}",
        f"absent.openai.{SUFFIX}",
        f"absent.azurecr.{SUFFIX}",
        f"absent.blob.storage.{SUFFIX}",
        f"a.b.c.d.{SUFFIX}",
        f"{'a' * 63}.{SUFFIX}",
        "management.azure.com",
        "127.0.0.1",
        "..",
        "%00",
        "",
    ],
)
def test_unknown_hosts_are_told_so(wire: Wire, host: str) -> None:
    """Sent where every name leads; only the Host header is another."""
    answer = wire.http.get(f"{MANAGEMENT}/secrets", headers={"host": host})
    assert 400 <= answer.status_code < 500
    assert answer.text
