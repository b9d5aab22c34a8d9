"""Every plane of the running sandbox as raw HTTPS: hosts, tokens, endpoints, each service's error shape."""

from __future__ import annotations

import base64
import json
import sqlite3
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx
import jwt

from sandbox.config import SUBSCRIPTION_ID, TENANT_ID
from tests.sandboxed import Sandbox

SUFFIX = "azure.test"
GROUP = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg-agents-dev"
MANAGEMENT = f"https://management.{SUFFIX}"
LOGIN = f"https://login.{SUFFIX}"

#: A refused answer -> what is wrong with its shape, None when it is the service's.
Shape = Callable[[httpx.Response], str | None]


def _object(response: httpx.Response, *path: str) -> Mapping[str, Any]:
    found: Any = response.json()
    for name in path:
        found = found[int(name)] if isinstance(found, list) else found[name]
    if not isinstance(found, dict):
        raise TypeError(f"{'.'.join(path)} is no object")
    return found


def _has(found: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if not isinstance(found[name], str) or not found[name]:
            raise ValueError(f"'{name}' is no text")


def _error_object(response: httpx.Response) -> None:
    _has(_object(response, "error"), "code", "message")


def _model(response: httpx.Response) -> None:
    # The models' own refusals may have no code.
    _has(_object(response, "error"), "message")


def _oauth(response: httpx.Response) -> None:
    body = _object(response)
    _has(body, "error", "error_description", "trace_id", "correlation_id")
    if not body["error_description"].startswith("AADSTS"):
        raise ValueError("the description has no AADSTS number")


def _cosmos(response: httpx.Response) -> None:
    _has(_object(response), "code", "message")
    _has(response.headers, "x-ms-activity-id")


def _registry(response: httpx.Response) -> None:
    _has(_object(response, "errors", "0"), "code", "message")


def _storage(response: httpx.Response) -> None:
    root = ET.fromstring(response.text)  # noqa: S314  # the sandbox's own
    if root.tag != "Error" or not root.findtext("Code") or not root.findtext("Message"):
        raise ValueError("no Error with Code and Message")
    _has(response.headers, "x-ms-error-code")


def _problem(response: httpx.Response) -> None:
    _has(_object(response), "type", "title", "detail", "correlationId")
    if response.headers["content-type"] != "application/problem+json":
        raise ValueError("the media type is not application/problem+json")


def _shape(check: Callable[[httpx.Response], None]) -> Shape:
    def judge(response: httpx.Response) -> str | None:
        try:
            check(response)
        except (ValueError, KeyError, TypeError, IndexError, ET.ParseError) as error:
            return repr(error)
        return None

    return judge


@dataclass(frozen=True)
class Plane:
    """`audience` is that of its tokens (None: it takes none); `challenge` what a 401 says in its header."""

    host: str
    shape: Shape
    audience: str | None = None
    challenge: str | None = None

    def headers(self, token: str | None) -> dict[str, str]:
        return {} if token is None else {"authorization": f"Bearer {token}"}


class CosmosPlane(Plane):
    def headers(self, token: str | None) -> dict[str, str]:
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        headers = {"x-ms-version": "2018-12-31", "x-ms-date": date}
        if token is not None:
            headers["authorization"] = quote(f"type=aad&ver=1.0&sig={token}", safe="")
        return headers


COSMOS = f"cosmos-agents-dev.documents.{SUFFIX}"
REGISTRY = f"acragentsdev.azurecr.{SUFFIX}"

PLANES: Mapping[str, Plane] = {
    "arm": Plane(
        f"management.{SUFFIX}", _shape(_error_object), MANAGEMENT, f'Bearer authorization_uri="{LOGIN}/'
    ),
    "graph": Plane(f"graph.{SUFFIX}", _shape(_error_object), f"https://graph.{SUFFIX}", "Bearer"),
    "vault": Plane(
        f"kv-agents-dev.vault.{SUFFIX}",
        _shape(_error_object),
        f"https://vault.{SUFFIX}",
        f'Bearer authorization="{LOGIN}/{TENANT_ID}", resource="https://vault.{SUFFIX}"',
    ),
    "model": Plane(f"oai-agents-dev.openai.{SUFFIX}", _shape(_model), "https://cognitiveservices.azure.com"),
    "cosmos": CosmosPlane(COSMOS, _shape(_cosmos), f"https://{COSMOS}"),
    "registry": Plane(
        REGISTRY, _shape(_registry), challenge=f'Bearer realm="https://{REGISTRY}/oauth2/token"'
    ),
    "entra": Plane(f"login.{SUFFIX}", _shape(_oauth)),
    "hooks": Plane(f"clusters.azmk8s.{SUFFIX}", _shape(_error_object)),
    "tasks": Plane(f"tasks-storage.azurecr.{SUFFIX}", _shape(_storage)),
    "agent": Plane(f"agents-dev.{SUFFIX}", _shape(_problem)),
}


@dataclass(frozen=True)
class Endpoint:
    """A method and path that takes a body. `takes` is json, optional (also none), form, or nothing (then a
    body is not looked at beyond being a JSON object, and none is right)."""

    plane: str
    method: str
    path: str
    takes: str = "json"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    #: Open to who shows no token.
    open: bool = False

    @property
    def name(self) -> str:
        return f"{self.plane}-{self.method}-{self.path.removeprefix(GROUP) or 'group'}"


@dataclass(frozen=True)
class Wire:
    """Requests to the sandbox's planes, with the deployer's tokens unless told otherwise."""

    sandbox: Sandbox
    http: httpx.Client

    @property
    def state(self) -> Path:
        return Path(self.sandbox.env["SSL_CERT_FILE"]).parents[1]

    @cached_property
    def _tokens(self) -> dict[str, str]:
        return {}

    @cached_property
    def cluster(self) -> str:
        """The key of the only cluster's folder, which its webhooks' URLs carry."""
        return next(path.name for path in (self.state / "aks").iterdir())

    @cached_property
    def versions(self) -> dict[str, str]:
        """The newest API version of each resource type, lower-case."""
        found = self.send(
            "arm", "GET", f"/subscriptions/{SUBSCRIPTION_ID}/providers", {"api-version": "2021-04-01"}
        )
        return {
            f"{provider['namespace']}/{each['resourceType']}".lower(): each["apiVersions"][0]
            for provider in found.json()["value"]
            for each in provider["resourceTypes"]
        }

    def version(self, path: str) -> str:
        """The API version with which to ask for an ARM path."""
        _, found, below = path.rpartition("/providers/")
        if not found:
            return self.versions["microsoft.resources/resourcegroups"]
        namespace, *rest = below.split("/")
        types = rest[::2]
        # The last part of an action's or a collection's path is no type of its own in the catalogue.
        return self.versions.get("/".join((namespace, *types)).lower()) or self.versions.get(
            "/".join((namespace, *types[:-1])).lower(), "2023-07-01"
        )

    def token(self, audience: str) -> str:
        if audience not in self._tokens:
            env = self.sandbox.env
            form = {
                "grant_type": "client_credentials",
                "client_id": env["AZURE_CLIENT_ID"],
                "client_secret": env["AZURE_CLIENT_SECRET"],
                "scope": f"{audience}/.default",
            }
            answer = self.http.post(f"{LOGIN}/{TENANT_ID}/oauth2/v2.0/token", data=form)
            assert answer.status_code == 200, answer.text
            self._tokens[audience] = answer.json()["access_token"]
        return self._tokens[audience]

    def registry_token(self, scope: str) -> str:
        """What the registry API takes, by way of `/oauth2/exchange`."""
        if scope not in self._tokens:
            form = {"service": REGISTRY, "access_token": self.token(MANAGEMENT), "tenant": TENANT_ID}
            url = f"https://{REGISTRY}/oauth2"
            refresh = self.http.post(f"{url}/exchange", data={"grant_type": "access_token", **form}).json()
            form = {"grant_type": "refresh_token", "service": REGISTRY, "scope": scope, **refresh}
            self._tokens[scope] = self.http.post(f"{url}/token", data=form).json()["access_token"]
        return self._tokens[scope]

    def good_token(self, plane: str) -> str | None:
        if plane == "registry":
            return self.registry_token(
                "repository:agents-api-notification:pull,push,metadata_read,metadata_write"
            )
        if plane == "hooks":
            return (self.state / "aks" / self.cluster / "azure.secret").read_text()
        audience = PLANES[plane].audience
        return self.token(audience) if audience else None

    def send(
        self,
        plane: str,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = "",
    ) -> httpx.Response:
        """`token` None sends none; the default is a good one."""
        at = PLANES[plane]
        shown = self.good_token(plane) if token == "" else token
        return self.http.request(
            method,
            f"https://{at.host}{path}",
            params=query,
            content=content,
            headers={**at.headers(shown), **(headers or {})},
        )

    def to(
        self, endpoint: Endpoint, content: bytes, media: str | None, *, token: str | None = ""
    ) -> httpx.Response:
        path = (
            endpoint.path.replace("{cluster}", self.cluster) if endpoint.plane == "hooks" else endpoint.path
        )
        query = {"api-version": self.version(path)} if endpoint.plane == "arm" else endpoint.query
        headers = {**endpoint.headers, **({"content-type": media} if media else {})}
        return self.send(
            endpoint.plane, endpoint.method, path, query, content=content, headers=headers, token=token
        )

    def mint(self, audience: str, **claims: Any) -> str:
        """A token signed with the sandbox's own key, with some claims changed (None: left out)."""
        with sqlite3.connect(f"file:{self.state / 'azure.db'}?mode=ro", uri=True) as database:
            row = "SELECT kid, pem FROM signing_keys ORDER BY created_at DESC LIMIT 1"
            kid, pem = database.execute(row).fetchone()
        return jwt.encode(self._claims(audience, claims), pem, "RS256", headers={"kid": kid})

    def _claims(self, audience: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        options: Any = {"verify_signature": False}
        claims = {**jwt.decode(self.token(audience), options=options), **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def altered(self, audience: str, **claims: Any) -> str:
        """A genuine token whose claims were changed afterwards: its signature is another content's."""
        head, _, signature = self.token(audience).split(".")
        content = base64.urlsafe_b64encode(json.dumps(self._claims(audience, claims)).encode())
        return f"{head}.{content.rstrip(b'=').decode()}.{signature}"


def connect(sandbox: Sandbox) -> Wire:
    context = ssl.create_default_context(cafile=sandbox.env["SSL_CERT_FILE"])
    return Wire(sandbox, httpx.Client(verify=context, timeout=10, trust_env=False))
