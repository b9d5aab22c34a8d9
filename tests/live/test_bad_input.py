"""Bad input on every plane: refused with 4xx in the service's own shape, at once, and nothing is changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.config import SUBSCRIPTION_ID, TENANT_ID
from tests.planes import (
    ABSENT,
    ENDPOINTS,
    GROUP,
    MANAGEMENT,
    PLANES,
    RESOURCES,
    SUFFIX,
    Endpoint,
    Wire,
    connect,
)
from tests.sandboxed import Sandbox

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


@pytest.fixture(scope="module")
def wire(sandbox: Sandbox) -> Iterator[Wire]:
    found = connect(sandbox)
    with found.http:
        yield found


def _refused(plane: str, answer: httpx.Response) -> str | None:
    """What is wrong with a refusal; None when it is one in its service's shape."""
    text = answer.text
    if not 400 <= answer.status_code < 500:
        return f"{answer.status_code}: {text[:200]}"
    if "Traceback" in text or ".py" in text:
        return f"shows its insides: {text[:200]}"
    # The ingress controller answers for agents what is longer than it lets through, as on Azure.
    if plane == "agent" and answer.status_code == 413:
        return None
    wrong = PLANES[plane].shape(answer)
    return wrong and f"{answer.status_code} in the wrong shape, {wrong}: {text[:200]}"


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
        if (problem := _refused(endpoint.plane, wire.to(endpoint, content, media)))
    }
    assert wrong == {}


_CLOSED = [endpoint for endpoint in ENDPOINTS if not endpoint.open]


@pytest.mark.parametrize("endpoint", _CLOSED, ids=lambda endpoint: endpoint.name)
def test_bodies_are_not_read_for_who_shows_no_token(wire: Wire, unchanged: None, endpoint: Endpoint) -> None:
    """Nobody learns what a body would have done."""
    answer = wire.to(endpoint, b"{nope", JSON, token=None)
    assert answer.status_code == 401, answer.text


# Tokens.

READS = {
    "arm": (GROUP, {"api-version": "2024-03-01"}),
    "graph": ("/v1.0/servicePrincipals", {}),
    "vault": ("/secrets", {"api-version": "7.4"}),
    "model": ("/openai/v1/models", {}),
    "cosmos": ("/dbs/AgentsDB/colls/Events/docs", {}),
    "registry": ("/v2/", {}),
}
_AN_HOUR_AGO = 3600


def _bad_tokens(wire: Wire, plane: str) -> dict[str, str | None]:
    audience = PLANES[plane].audience or MANAGEMENT
    good = wire.token(audience)
    now = int(time.time())
    other = "https://vault.azure.test" if plane != "vault" else MANAGEMENT
    foreign = "11111111-1111-4111-8111-111111111111"
    return {
        "none": None,
        "no JWT": "nope",
        "two parts": good.rpartition(".")[0],
        "no signature": good.rpartition(".")[0] + ".",
        "another signature": good[:-20] + "A" * 20,
        "not ASCII": "\u00e9" * 10,
        "long": "a" * 20_000,
        "expired": wire.mint(audience, exp=now - 60, nbf=now - _AN_HOUR_AGO, iat=now - _AN_HOUR_AGO),
        "not yet valid": wire.mint(audience, nbf=now + _AN_HOUR_AGO),
        "never expires": wire.mint(audience, exp=None),
        "expiry put off": wire.altered(audience, exp=now + 10 * _AN_HOUR_AGO),
        "another principal": wire.altered(audience, oid=foreign, sub=foreign),
        "for another service": wire.token(other),
        "for anything": wire.mint(audience, aud="*"),
        "for several": wire.mint(audience, aud=[audience, other]),
        "of another tenant": wire.mint(audience, iss=f"https://sts.{SUFFIX}/{foreign}/", tid=foreign),
    }


@pytest.mark.parametrize("plane", READS)
def test_bad_tokens_are_refused(wire: Wire, plane: str) -> None:
    path, query = READS[plane]
    assert wire.send(plane, "GET", path, query).status_code in (200, 404), "a good token is taken"
    wrong = {}
    for name, token in _bad_tokens(wire, plane).items():
        headers = None if token is None else PLANES[plane].headers(token)
        answer = wire.http.get(f"https://{PLANES[plane].host}{path}", params=query, headers=_latin(headers))
        problem = _refused(plane, answer) if answer.status_code == 401 else f"{answer.status_code}"
        challenge = PLANES[plane].challenge
        if not problem and challenge and challenge not in answer.headers.get("www-authenticate", ""):
            problem = f"the challenge is {answer.headers.get('www-authenticate')!r}"
        if problem:
            wrong[name] = problem
    assert wrong == {}


def _latin(headers: dict[str, str] | None) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]


@pytest.mark.parametrize(
    ("header", "plane"),
    [
        (header, plane)
        for plane in READS
        for header in (
            "Bearer",
            "Basic !!!",
            "Basic bm9uZQ==",
            "Negotiate x",
            "type=aad&ver=1.0",
            "%",
        )
    ],
)
def test_other_authorization_is_refused(wire: Wire, plane: str, header: str) -> None:
    path, query = READS[plane]
    answer = wire.http.get(
        f"https://{PLANES[plane].host}{path}", params=query, headers={"authorization": header}
    )
    assert answer.status_code == 401
    assert _refused(plane, answer) is None


def test_an_expired_token_is_told_its_expiry(wire: Wire) -> None:
    token = wire.mint(MANAGEMENT, exp=int(time.time()) - 60)
    error = wire.send("arm", "GET", GROUP, {"api-version": "2024-03-01"}, token=token).json()["error"]
    assert error["code"] == "ExpiredAuthenticationToken"
    assert "is earlier than current UTC time" in error["message"]


_CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": "{client}",
    "client_secret": "{secret}",
    "scope": f"{MANAGEMENT}/.default",
}


@pytest.mark.parametrize(
    ("change", "status", "number"),
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_secret": None}, 401, 7000218),
        ({"client_id": "11111111-1111-4111-8111-111111111111"}, 400, 700016),
        ({"client_id": None}, 400, 900144),
        ({"grant_type": None}, 400, 900144),
        ({"grant_type": "password"}, 400, 70003),
        ({"scope": None}, 400, 900144),
        ({"scope": MANAGEMENT}, 400, 1002012),
        ({"scope": "https://nowhere.example/.default"}, 400, 500011),
        ({"scope": "https://[/.default"}, 400, 500011),
        ({"client_assertion": "nope"}, 400, 900144),
    ],
)
def test_token_requests_that_are_wrong(
    wire: Wire, change: dict[str, str | None], status: int, number: int
) -> None:
    env = wire.sandbox.env
    known = {"{client}": env["AZURE_CLIENT_ID"], "{secret}": env["AZURE_CLIENT_SECRET"]}
    form = {name: known.get(value, value) for name, value in {**_CREDENTIALS, **change}.items() if value}
    answer = wire.http.post(f"https://login.{SUFFIX}/{TENANT_ID}/oauth2/v2.0/token", data=form)
    assert (answer.status_code, answer.json()["error_codes"]) == (status, [number])
    assert _refused("entra", answer) is None


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
        ("model", "POST", "/openai/deployments/gpt-4o-mini/chat/completions", {}),
        ("model", "POST", "/openai/deployments/gpt-4o-mini/chat/completions", {"api-version": "x"}),
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
def test_bad_addresses_are_refused(
    wire: Wire, unchanged: None, address: tuple[str, str, str, dict[str, str]]
) -> None:
    answer = wire.send(*address)
    plane = address[0]
    assert _refused(plane, answer) is None


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
    assert _refused("arm", answer) is None


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
