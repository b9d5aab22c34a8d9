"""Tokens that are none, wrong, old or another's: refused on every plane in the service's own shape."""

from __future__ import annotations

import time

import pytest

from sandbox.config import TENANT_ID
from tests.live.refusals import refusal
from tests.planes import GROUP, MANAGEMENT, PLANES, SUFFIX, Wire

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

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
def test_bad_tokens_arerefusal(wire: Wire, plane: str) -> None:
    path, query = READS[plane]
    assert wire.send(plane, "GET", path, query).status_code in (200, 404), "a good token is taken"
    wrong = {}
    for name, token in _bad_tokens(wire, plane).items():
        headers = None if token is None else PLANES[plane].headers(token)
        answer = wire.http.get(f"https://{PLANES[plane].host}{path}", params=query, headers=_latin(headers))
        problem = refusal(plane, answer) if answer.status_code == 401 else f"{answer.status_code}"
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
def test_other_authorization_isrefusal(wire: Wire, plane: str, header: str) -> None:
    path, query = READS[plane]
    answer = wire.http.get(
        f"https://{PLANES[plane].host}{path}", params=query, headers={"authorization": header}
    )
    assert answer.status_code == 401
    assert refusal(plane, answer) is None


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
    assert refusal("entra", answer) is None
