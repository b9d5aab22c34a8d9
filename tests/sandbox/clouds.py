"""A cloud in the test's own process: the real core and directory, asked through ASGI, with fakes outside."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

from sandbox.arm.catalogue import Catalogue, TypeInfo
from sandbox.arm.handler import Handler
from sandbox.arm.ids import GROUP_TYPE
from sandbox.arm.locks import LOCK_TYPE
from sandbox.arm.rbac import ASSIGNMENT_TYPE, DEFINITION_TYPE
from sandbox.azure import authorization, managedidentity, resources
from sandbox.cloud import Cloud, Outside
from sandbox.config import REGIONS, SUBSCRIPTION_ID, TENANT_ID, Config
from sandbox.entra import principals
from tests.sandbox.azure import fakes
from tests.sandbox.signing import shared_key

SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
THING = f"{GROUP}/providers/Microsoft.Test/things/one"
VERSION = "2024-01-01"
_VERSIONS = ("2023-01-01", VERSION)

TYPES = (
    TypeInfo(GROUP_TYPE, _VERSIONS, REGIONS),
    TypeInfo("Microsoft.Test/things", _VERSIONS, REGIONS, shows=lambda path: path != "systemData"),
    TypeInfo("Microsoft.Test/things/parts", _VERSIONS),
    TypeInfo("Microsoft.Test/things/defaults", _VERSIONS, default_body={"properties": {"days": 7}}),
    TypeInfo(
        "Microsoft.Test/things/modes",
        _VERSIONS,
        default_body={"properties": {"on": True}},
        singleton="current",
    ),
    TypeInfo("Microsoft.Test/slow", _VERSIONS, REGIONS),
    TypeInfo("Microsoft.ManagedIdentity/userAssignedIdentities", _VERSIONS, REGIONS, shows=lambda _: False),
    TypeInfo(
        f"{managedidentity.IDENTITY_TYPE}/federatedIdentityCredentials", _VERSIONS, shows=lambda _: False
    ),
    TypeInfo(ASSIGNMENT_TYPE, _VERSIONS, shows=lambda _: False),
    TypeInfo(DEFINITION_TYPE, _VERSIONS, shows=lambda _: False),
    TypeInfo(LOCK_TYPE, _VERSIONS, shows=lambda _: False),
)


@dataclass
class Client:
    """Asks the cloud as one principal; `az`-like: the token is fetched from the login endpoint first."""

    cloud: Cloud
    http: httpx.AsyncClient
    credentials: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)

    async def token(self, audience: str = "https://management.azure.test") -> str:
        if audience not in self.tokens:
            form = {**self.credentials, "grant_type": "client_credentials", "scope": f"{audience}/.default"}
            answer = await self.http.post(
                f"https://login.azure.test/{TENANT_ID}/oauth2/v2.0/token", data=form
            )
            assert answer.status_code == 200, answer.text
            self.tokens[audience] = answer.json()["access_token"]
        return self.tokens[audience]

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        version = options.pop("version", VERSION)
        query = {**({"api-version": version} if version else {}), **options.pop("query", {})}
        headers = {"Authorization": f"Bearer {await self.token()}", **options.pop("headers", {})}
        url = path if path.startswith("https://") else f"https://management.azure.test{path}"
        return await self.http.request(
            method,
            url,
            params=query if "api-version=" not in url else None,
            headers=headers,
            json=body,
            **options,
        )

    async def put(self, path: str, body: Any, **options: Any) -> httpx.Response:
        answer = await self.ask("PUT", path, body, **options)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer

    async def get(self, path: str, **options: Any) -> Any:
        answer = await self.ask("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str]:
        """Status and code of an answer that must be ARM's error."""
        answer = await self.ask(method, path, body, **options)
        error = answer.json()["error"]
        assert error["message"]
        return answer.status_code, error["code"]

    def other(self, name: str) -> Client:
        """A client with an application of its own, which no role is assigned to."""
        directory = self.cloud.services.principals
        assert isinstance(directory, principals.Directory)
        object_id, client_id = directory.create(name, principals.APPLICATION)
        directory.set_secret(object_id, "secret")
        return Client(self.cloud, self.http, {"client_id": client_id, "client_secret": "secret"})

    @property
    def object_id(self) -> str:
        directory = self.cloud.services.principals
        assert isinstance(directory, principals.Directory)
        found = directory.by_client(self.credentials["client_id"])
        assert found is not None
        return found.object_id


def module(*handlers: type[Handler]) -> ModuleType:
    """A resource provider module with these handlers."""
    made = ModuleType("provider")
    made.__dict__["HANDLERS"] = handlers
    return made


@asynccontextmanager
async def running(
    state: Path,
    *,
    handlers: Iterable[type[Handler]] = (),
    types: Iterable[TypeInfo] = TYPES,
    own_key: bool = False,
) -> AsyncIterator[Client]:
    """A cloud on `state`, brought up and resumed, asked by the deployer.

    `own_key`: it signs its tokens with a key that no other cloud has.
    """
    outside = Outside(
        supervisor=fakes.Supervisor(),
        hosts=fakes.Hosts(),
        authority=fakes.Authority(),
        trust=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        local="127.0.0.1:1",
    )
    modules = [resources, authorization, managedidentity, module(*handlers)]
    with nullcontext() if own_key else shared_key():
        cloud = Cloud(Config(state=state, suffix="azure.test"), outside, Catalogue(types), modules)
    await cloud.start()
    await cloud.resume()
    deployer = json.loads((state / "deployer.json").read_text())
    credentials = {"client_id": deployer["clientId"], "client_secret": deployer["clientSecret"]}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(cloud.app)) as http:
        yield Client(cloud, http, credentials)
    await cloud.stop()
