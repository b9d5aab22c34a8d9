"""All resource providers together: found, joined, and at one with the table of types."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

from sandbox import metadata
from sandbox.arm.handler import Handler
from sandbox.arm.handlers import overrides
from sandbox.arm.known import catalogue
from sandbox.cloud import Cloud, Outside, providers
from sandbox.config import Config
from sandbox.names import Names
from tests.sandbox.azure import fakes
from tests.sandbox.clouds import running


def handlers() -> list[type[Handler]]:
    return [kind for module in providers() for kind in getattr(module, "HANDLERS", ())]


def test_every_handler_has_a_type_of_its_own_that_is_known() -> None:
    types = [kind.type for kind in handlers()]
    assert len({name.lower() for name in types}) == len(types)
    known = catalogue()
    only_operations = {kind.type for kind in handlers() if kind.operations is not Handler.operations}
    unknown = [name for name in types if known.find(name) is None and name not in only_operations]
    assert unknown == []
    misspelt = [name for name in types if (info := known.find(name)) is not None and info.name != name]
    assert misspelt == []


def test_the_whole_cloud_can_be_built(tmp_path: Path) -> None:
    outside = Outside(
        supervisor=fakes.Supervisor(),
        hosts=fakes.Hosts(),
        authority=fakes.Authority(),
        trust=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        local="127.0.0.1:1",
    )
    cloud = Cloud(Config(state=tmp_path, suffix="azure.test"), outside, catalogue())
    for name in ("management", "login", "graph", "kv-one.vault"):
        assert cloud.router.find(f"{name}.azure.test") is not None, name
    assert overrides(cloud._handlers.of("Microsoft.KeyVault/vaults"), "delete")


async def test_the_metadata_endpoint(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        url = "https://management.azure.test/metadata/endpoints"

        async def get(version: str | None) -> httpx.Response:
            return await client.http.get(url, params={"api-version": version} if version else {})

        new = (await get("2022-09-01")).json()
        assert new == metadata.document(Names("azure.test"))
        assert (await get("2019-05-01")).json() == [new]
        assert (await get("2015-01-01")).json()["authentication"][
            "loginEndpoint"
        ] == "https://login.azure.test"
        assert (await get(None)).json()["error"]["code"] == "MissingApiVersionParameter"
        assert (
            new["authentication"]["audiences"][0] == new["resourceManager"] == "https://management.azure.test"
        )
        health = await client.http.get("https://management.azure.test/healthz")
        assert health.json() == {"status": "ready"}
