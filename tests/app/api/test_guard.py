"""Who may call: tokens of the right issuer, audience and role, and no more often than allowed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import pytest

from app.api import tokens as tokens_module
from app.api.tokens import Tokens
from app.main import create_app
from app.settings import AuthenticationSettings, HttpSettings
from tests.app.api import issuer as issuing
from tests.app.api.issuer import AUDIENCE, Issuer, key_of
from tests.app.conftest import FakeRouter, FakeStore, make_agent

BODY = {"input": {"channel": "sms", "recipient": "+316", "message": "Node down"}}
EXECUTE, LIST = "/api/notification/execute", "/api/notification/executions"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing.serving() as found:
        yield found


def _client(issuer: Issuer, store: Any = None, **http: Any) -> httpx.AsyncClient:
    settings = AuthenticationSettings.model_validate({"Audience": AUDIENCE, "Issuer": issuer.url})
    agent = make_agent(FakeRouter(), store or FakeStore())
    app = create_app(agent, tokens=Tokens(settings), http=HttpSettings.model_validate(http))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://agent")


async def _status(client: httpx.AsyncClient, token: str, path: str = EXECUTE) -> int:
    headers = {"authorization": f"Bearer {token}"}
    if path == EXECUTE:
        return (await client.post(path, json=BODY, headers=headers)).status_code
    return (await client.get(path, headers=headers)).status_code


async def test_a_token_with_the_role_is_taken(issuer: Issuer) -> None:
    async with _client(issuer) as client:
        assert await _status(client, issuer.token()) == 200
        assert await _status(client, issuer.token(), LIST) == 200
        # The scheme's name has no case.
        answer = await client.get(LIST, headers={"authorization": f"bearer {issuer.token()}"})
        assert answer.status_code == 200
    assert issuer.asked == 1


async def test_who_may_read_may_not_execute(issuer: Issuer) -> None:
    token = issuer.token(roles=["Agents.Read"])
    async with _client(issuer) as client:
        assert await _status(client, token, LIST) == 200
        answer = await client.post(EXECUTE, json=BODY, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "The token lacks the app role Agents.Execute."
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("roles", [None, [], ["agents.execute"], "Agents.Execute", {"Agents.Execute": 1}])
async def test_without_the_role_in_a_list_nothing_is_allowed(issuer: Issuer, roles: Any) -> None:
    async with _client(issuer) as client:
        assert await _status(client, issuer.token(roles=roles)) == 403


FORGED: dict[str, Callable[[Issuer], str]] = {
    "another audience": lambda issuer: issuer.token(aud="api://other"),
    "another issuer": lambda issuer: issuer.token(iss="https://login.microsoftonline.com/other/v2.0"),
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - 120),
    "not valid yet": lambda issuer: issuer.token(nbf=int(time.time()) + 120),
    "without an end": lambda issuer: issuer.token(exp=None),
    "without an issuer": lambda issuer: issuer.token(iss=None),
    "without an audience": lambda issuer: issuer.token(aud=None),
    "signed by somebody else": lambda issuer: issuer.token(key_of("stranger")),
    "signed with an unknown key": lambda issuer: issuer.token(key_of("stranger"), kid="two"),
    "signed with a shared secret": lambda issuer: issuer.token("s" * 32),
    "not signed": lambda issuer: jwt.encode({"aud": AUDIENCE}, "", "none", {"kid": "one"}),
    "cut": lambda issuer: issuer.token()[:-20],
    "no token": lambda _: "abc",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
async def test_a_token_that_is_not_in_order_is_a_401_before_the_body_is_read(
    issuer: Issuer, forge: Callable[[Issuer], str]
) -> None:
    async with _client(issuer) as client:
        headers = {"authorization": f"Bearer {forge(issuer)}"}
        answer = await client.post(EXECUTE, content=b"{nope", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:agents:problem:unauthorized"
    assert answer.headers["www-authenticate"] == 'Bearer realm="agents", error="invalid_token"'
    assert answer.json()["correlationId"] == answer.headers["x-correlation-id"]


@pytest.mark.parametrize(
    ("given", "challenge"),
    [
        ({}, 'Bearer realm="agents"'),
        ({"authorization": "Basic dXNlcjpwYXNz"}, 'Bearer realm="agents", error="invalid_request"'),
        ({"authorization": "Bearer"}, 'Bearer realm="agents", error="invalid_request"'),
        ({"authorization": "Bearer a b"}, 'Bearer realm="agents", error="invalid_request"'),
    ],
)
async def test_without_a_bearer_token_the_challenge_says_what_is_missing(
    issuer: Issuer, given: dict[str, str], challenge: str
) -> None:
    async with _client(issuer) as client:
        for path in (LIST, f"{LIST}/{'0' * 8}-0000-0000-0000-{'0' * 12}", "/api/notification/nothing"):
            answer = await client.get(path, headers=given)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)
    assert issuer.asked == 0


async def test_health_and_metrics_are_open(issuer: Issuer) -> None:
    async with _client(issuer) as client:
        for path in ("/healthz", "/readyz", "/api/notification/health", "/metrics/", "/openapi.json"):
            assert (await client.get(path)).status_code == 200


async def test_a_new_key_is_looked_for_at_once_and_an_unknown_one_not_every_time(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _client(issuer) as client:
        assert await _status(client, issuer.token()) == 200
        for _ in range(5):
            assert await _status(client, issuer.token(key_of("stranger"), kid="nowhere")) == 401
        # One look for the first token; then the client rests before it looks again.
        assert issuer.asked == 1
        issuer.keys["two"] = key_of("two")
        clock = time.monotonic() + tokens_module.LOOK_AGAIN_SECONDS + 1
        monkeypatch.setattr("jwt.jwks_client.time.monotonic", lambda: clock)
        assert await _status(client, issuer.token(kid="two")) == 200
        assert issuer.asked == 2


async def test_an_issuer_that_is_away_is_a_503_until_it_is_back(issuer: Issuer) -> None:
    issuer.available = False
    async with _client(issuer) as client:
        answer = await client.get(LIST, headers={"authorization": f"Bearer {issuer.token()}"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        issuer.available = True
        assert await _status(client, issuer.token(), LIST) == 200
        # With the keys at hand its absence does not matter.
        issuer.available = False
        assert await _status(client, issuer.token(), LIST) == 200


async def test_metadata_of_another_issuer_are_not_believed(issuer: Issuer) -> None:
    issuer.claimed = "https://login.example/other/v2.0"
    async with _client(issuer) as client:
        assert await _status(client, issuer.token()) == 503
    assert issuer.asked == 0


async def test_one_caller_does_not_see_what_ran_under_anothers_key(issuer: Issuer) -> None:
    async with _client(issuer, FakeStore()) as client:
        ids = []
        for caller in ("a", "b", "a"):
            headers = {"authorization": f"Bearer {issuer.token(oid=caller)}", "Idempotency-Key": "k-1"}
            ids.append((await client.post(EXECUTE, json=BODY, headers=headers)).json()["id"])
    assert ids[0] == ids[2] != ids[1]


async def test_each_caller_has_a_rate_of_its_own(issuer: Issuer) -> None:
    async with _client(issuer, Rate="2/hour") as client:
        eager, other = issuer.token(oid="a"), issuer.token(oid="b")
        assert [await _status(client, eager, LIST) for _ in range(3)] == [200, 200, 429]
        assert await _status(client, other, LIST) == 200
        answer = await client.get(LIST, headers={"authorization": f"Bearer {eager}"})
        assert answer.json()["type"] == "urn:agents:problem:rate-limited"
        assert 1 <= int(answer.headers["retry-after"]) <= 3600
        assert (await client.get("/api/notification/health")).status_code == 200
