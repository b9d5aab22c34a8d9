"""A thin client of the Kubernetes API: discovery and the verbs the provider needs, over plain objects."""

from __future__ import annotations

import json
import re
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.credentials import Credential, Credentials
from sandbox.engine.kubernetes.kubeconfig import Access
from sandbox.engine.kubernetes.objects import Kind, Object

_TIMEOUT = httpx.Timeout(60, connect=10)
_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16)
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
Warn = Callable[[str], None]
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"


class UnreachableError(PlugError):
    """No API server answers."""


class UnknownKindError(PlugError):
    """The API server does not serve the kind (a CRD that is not there yet, or any more)."""


class ApiError(PlugError):
    """A Status from the API server; the text is its message."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(body.get("message") or f"the Kubernetes API server answered {status}")
        self.status = status
        self.reason: str = body.get("reason") or ""
        self.details: Mapping[str, Any] = body.get("details") or {}

    @property
    def missing_namespace(self) -> bool:
        return self.status == 404 and self.details.get("kind") == "namespaces"


@dataclass(frozen=True)
class Served:
    """How the API server serves a kind."""

    plural: str
    namespaced: bool


class Client:
    """One API server as one user. Safe to use from several threads."""

    def __init__(self, access: Access, credentials: Credentials) -> None:
        self._access = access
        self._credentials = credentials
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None
        self._made_for: Credential | None = None
        self._served: dict[str, dict[str, Served]] = {}

    def served(self, kind: Kind) -> Served:
        """Raises UnknownKindError. What is found is remembered; what is not is asked again."""
        known = self._served.get(kind.path, {})
        if kind.kind not in known:
            try:
                listed = self._json("GET", kind.path)
            except ApiError as error:
                if error.status != 404:
                    raise
                listed = {}
            known = {
                item["kind"]: Served(item["name"], item["namespaced"])
                for item in listed.get("resources", ())
                if "/" not in item["name"]
            }
            self._served[kind.path] = known
        if kind.kind not in known:
            raise UnknownKindError(f'no matches for kind "{kind.kind}" in version "{kind.api_version}"')
        return known[kind.kind]

    def path(self, kind: Kind, namespace: str, name: str | None = None) -> str:
        found = self.served(kind)
        parts = [kind.path]
        if found.namespaced:
            parts += ["namespaces", namespace]
        parts.append(found.plural)
        return "/".join([*parts, name] if name else parts)

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        return self._json("GET", self.path(kind, namespace, name))

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """None when the object (or its whole kind) does not exist."""
        try:
            return self.get(kind, namespace, name)
        except UnknownKindError:
            return None
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def all(self, kind: Kind, namespace: str, *, labels: str = "") -> list[Object]:
        query = {"labelSelector": labels} if labels else {}
        return list(self._json("GET", self.path(kind, namespace), query=query).get("items") or ())

    def create(
        self,
        kind: Kind,
        namespace: str,
        value: Object,
        *,
        manager: str,
        dry: bool = False,
        warn: Warn | None = None,
    ) -> Object:
        """`warn` is told what the server accepted but thinks wrong, such as unknown fields it dropped."""
        query = {"fieldManager": manager, "fieldValidation": "Warn", **_dry(dry)}
        answer = self._request("POST", self.path(kind, namespace), query=query, body=value)
        if warn is not None:
            for text in _warnings(answer):
                warn(text)
        made: Object = answer.json()
        return made

    def apply(
        self, kind: Kind, namespace: str, value: Object, *, manager: str, force: bool, dry: bool = False
    ) -> Object:
        """Server-side apply. Conflicts with other field managers raise ApiError 409 unless forced."""
        query = {"fieldManager": manager, "force": str(force).lower(), **_dry(dry)}
        path = self.path(kind, namespace, value["metadata"]["name"])
        return self._json("PATCH", path, query=query, body=value, content_type=APPLY)

    def patch(self, kind: Kind, namespace: str, name: str, operations: list[Object]) -> Object:
        path = self.path(kind, namespace, name)
        return self._json("PATCH", path, body=operations, content_type=JSON_PATCH)

    def delete(self, kind: Kind, namespace: str, name: str, *, propagation: str) -> None:
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        self._json("DELETE", self.path(kind, namespace, name), body=options)

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        query = {"container": container, "previous": str(previous).lower(), "tailLines": str(lines)}
        return self._request("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query=query).text

    def reach(self) -> None:
        """Raises UnreachableError when no API server answers."""
        self._json("GET", "/version")

    def _json(self, method: str, path: str, **more: Any) -> Object:
        answer: Object = self._request(method, path, **more).json()
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> httpx.Response:
        content = None if body is None else json.dumps(body)
        for attempt in (1, 2):
            http, headers = self._ready()
            if content is not None:
                headers["Content-Type"] = content_type
            try:
                answer = http.request(
                    method, path, params=dict(query or {}), content=content, headers=headers
                )
            except httpx.HTTPError as error:
                raise UnreachableError(
                    f"the Kubernetes API server {self._access.server} is unreachable: {error}"
                ) from error
            if answer.status_code == 401 and attempt == 1:
                self._credentials.forget()
                continue
            break
        if answer.is_success:
            return answer
        try:
            status = answer.json()
        except ValueError:
            status = {"message": answer.text.strip()}
        raise ApiError(answer.status_code, status if isinstance(status, dict) else {})

    def _ready(self) -> tuple[httpx.Client, dict[str, str]]:
        credential = self._credentials.get()
        with self._lock:
            certificate = (credential.certificate, credential.key)
            made_for = self._made_for and (self._made_for.certificate, self._made_for.key)
            if self._http is None or made_for != certificate:
                self._http = self._connect(credential)
                self._made_for = credential
            headers = {"Accept": "application/json"}
            if credential.authorization:
                headers["Authorization"] = credential.authorization
            return self._http, headers

    def _connect(self, credential: Credential) -> httpx.Client:
        name = self._access.tls_server_name
        return httpx.Client(
            base_url=self._access.server,
            verify=_context(self._access, credential),
            timeout=_TIMEOUT,
            limits=_LIMITS,
            proxy=self._access.proxy,
            trust_env=False,
            event_hooks={"request": [lambda request: _set_name(request, name)]} if name else {},
        )


def _warnings(answer: httpx.Response) -> list[str]:
    """The texts of `Warning: 299 - "text"` headers."""
    return [
        text.replace('\\"', '"') for text in _WARNING.findall(", ".join(answer.headers.get_list("warning")))
    ]


def _set_name(request: httpx.Request, name: str) -> None:
    request.extensions["sni_hostname"] = name


def _dry(dry: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry else {}


def _context(access: Access, credential: Credential) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=access.authority)
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if credential.certificate and credential.key:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:  # ssl reads key pairs from files only
            pair.write(f"{credential.certificate}\n{credential.key}")
            pair.flush()
            context.load_cert_chain(pair.name)
    return context
