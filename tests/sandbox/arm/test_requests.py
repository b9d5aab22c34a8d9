"""What is refused before anything is done: tokens, versions, paths, methods, bodies."""

from __future__ import annotations

import pytest

from sandbox.arm import app
from tests.sandbox.clouds import GROUP, SUBSCRIPTION, THING, Client

ZERO = "/subscriptions/00000000-0000-0000-0000-000000000000"


async def test_versions(arm: Client, group: str) -> None:
    assert await arm.refused("GET", THING, version=None) == (400, "MissingApiVersionParameter")
    assert await arm.refused("GET", THING, version="yesterday") == (400, "InvalidApiVersionParameter")
    answer = await arm.ask("PUT", THING, {"location": "westeurope"}, version="2020-01-01")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "NoRegisteredProviderFound")
    assert "2023-01-01, 2024-01-01" in error["message"]
    for version in ("2023-01-01", "2024-01-01"):
        await arm.put(THING, {"location": "westeurope"}, version=version)


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        (f"{GROUP}/providers/Microsoft.Test/planets/x", (404, "InvalidResourceType")),
        (f"{GROUP}/providers/Microsoft.Nowhere/things/x", (404, "InvalidResourceNamespace")),
        ("/nonsense", (404, "InvalidResourceId")),
        (f"{GROUP}/providers/Microsoft.Test", (404, "InvalidResourceType")),
        (f"{GROUP}//providers/Microsoft.Test/things", (400, "InvalidResourceId")),
    ],
)
async def test_paths(arm: Client, group: str, path: str, refusal: tuple[int, str]) -> None:
    assert await arm.refused("GET", path) == refusal


async def test_methods(arm: Client, group: str) -> None:
    assert await arm.refused("PUT", f"{GROUP}/providers/Microsoft.Test/things", {}) == (
        405,
        "MethodNotAllowed",
    )
    assert await arm.refused("POST", GROUP) == (405, "MethodNotAllowed")
    assert await arm.refused("OPTIONS", THING) == (405, "MethodNotAllowed")
    assert await arm.refused("DELETE", SUBSCRIPTION) == (404, "InvalidResourceType")


@pytest.mark.parametrize(
    ("content", "media", "refusal"),
    [
        (b"{", "application/json", (400, "InvalidRequestContent")),
        (b"[1]", "application/json", (400, "InvalidRequestContent")),
        (b"\xff", "application/json", (400, "InvalidRequestContent")),
        (b'{"tags": {"a": NaN}}', "application/json", (400, "InvalidRequestContent")),
        (b'{"tags": {"a": "\\ud800"}}', "application/json", (400, "InvalidRequestContent")),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "application/json", (400, "InvalidRequestContent")),
        (b"[" * 100_000, "application/json", (400, "InvalidRequestContent")),
        (b"a: b", "text/yaml", (415, "UnsupportedMediaType")),
        (b"{" + b" " * 5_000_000 + b"}", "application/json", (413, "RequestContentTooLarge")),
    ],
    ids=[
        *("truncated", "array", "not UTF-8", "NaN", "half a surrogate pair", "deep", "very deep"),
        *("YAML", "large"),
    ],
)
async def test_bodies(arm: Client, group: str, content: bytes, media: str, refusal: tuple[int, str]) -> None:
    for method, path in [("PUT", THING), ("PATCH", THING), ("POST", f"{THING}/listKeys")]:
        options = {"content": content, "headers": {"Content-Type": media}}
        assert await arm.refused(method, path, **options) == refusal
    assert (await arm.ask("HEAD", THING)).status_code == 404


@pytest.mark.parametrize("name", ["a%00b", "a%3Cb", "a%26", "x" * 261, "a%0Ab"])
async def test_names(arm: Client, group: str, name: str) -> None:
    path = THING.replace("/one", f"/{name}")
    assert await arm.refused("PUT", path, {"location": "westeurope"}) == (400, "InvalidResourceName")


async def test_authentication(arm: Client) -> None:
    url = f"https://management.azure.test{GROUP}?api-version=2024-01-01"
    bare = await arm.http.get(url)
    assert (bare.status_code, bare.json()["error"]["code"]) == (401, "AuthenticationFailed")
    assert bare.headers["www-authenticate"].startswith('Bearer authorization_uri="https://login.azure.test/')
    wrong = await arm.http.get(url, headers={"Authorization": "Bearer nonsense"})
    assert wrong.json()["error"]["code"] == "InvalidAuthenticationToken"
    vault = await arm.token("https://vault.azure.net")
    other = await arm.http.get(url, headers={"Authorization": f"Bearer {vault}"})
    assert other.json()["error"]["code"] == "InvalidAuthenticationTokenAudience"


async def test_unknown_subscription(arm: Client) -> None:
    assert await arm.refused("GET", f"{ZERO}/resourceGroups") == (404, "SubscriptionNotFound")


async def test_every_answer_can_be_traced(arm: Client) -> None:
    answer = await arm.ask("GET", GROUP, headers={"x-ms-correlation-request-id": "abc"})
    assert answer.headers["x-ms-correlation-request-id"] == "abc"
    assert answer.headers["x-ms-request-id"]


async def test_a_defect_answers_in_arms_shape(
    arm: Client, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_text: str) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(app, "parse", fail)
    assert await arm.refused("GET", THING) == (500, "InternalServerError")


async def test_unknown_hosts(arm: Client) -> None:
    answer = await arm.http.get("https://kv-gone.vault.azure.test/secrets")
    assert answer.status_code == 421
    assert "kv-gone.vault.azure.test" in answer.json()["error"]["message"]
