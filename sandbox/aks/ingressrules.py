"""What Ingress objects ask for: hosts, paths, pods and the annotations of ingress-nginx that change how a
request is passed on. Pure; what cannot be used is left out and said.

https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, Literal

from sandbox.aks.settings import INGRESS_CLASS

#: The host of rules that name none.
ANY_HOST = "_"
_PREFIX = "nginx.ingress.kubernetes.io/"
_CLASS = "kubernetes.io/ingress.class"
_SIZE = re.compile(r"\d+[kmg]?", re.IGNORECASE)
#: Nothing that ends a quoted string of nginx's configuration.
_PLAIN = re.compile(r'[^"\x00-\x1f\x7f]*')
_NEXT = re.compile(r"[a-z0-9_ ]+")

Kind = Literal["exact", "prefix", "regex"]
#: (namespace, service, port name or number) -> `ip:port` of ready pods.
Servers = Mapping[tuple[str, str, str], Sequence[str]]


@dataclass(frozen=True)
class Passing:
    """How requests are passed on. Times are seconds; sizes are nginx's."""

    connect_timeout: int = 5
    read_timeout: int = 60
    send_timeout: int = 60
    body_size: str = "1m"
    buffering: bool = False
    request_buffering: bool = True
    next_upstream: str = "error timeout"
    tries: int = 3
    scheme: Literal["http", "https", "grpc", "grpcs"] = "http"
    rewrite: str | None = None
    host: str | None = None
    forwarded_prefix: str | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Location:
    """One path. `name` is `namespace-service-port`, for the log; no `servers` answer 503."""

    path: str
    kind: Kind
    name: str
    servers: tuple[str, ...]
    passing: Passing


@dataclass
class Site:
    """One host. `secret` (namespace, name) is to hold its certificate."""

    host: str
    locations: list[Location] = field(default_factory=list)
    tls: bool = False
    secret: tuple[str, str] | None = None
    redirect: bool = False


@dataclass(frozen=True)
class Problem:
    """An Ingress that is not served as it asks. `ingress` is the object."""

    ingress: Mapping[str, Any]
    message: str


def ours(ingress: Mapping[str, Any]) -> bool:
    named = (ingress["metadata"].get("annotations") or {}).get(_CLASS)
    return bool((ingress["spec"].get("ingressClassName") or named) == INGRESS_CLASS)


def endpoints(slices: Iterable[Mapping[str, Any]], services: Iterable[Mapping[str, Any]]) -> Servers:
    """Ready pods by service port. Ports are known by name in slices and also by number in Ingress objects."""
    numbers = {
        (one["metadata"]["namespace"], one["metadata"]["name"], port.get("name") or ""): str(port["port"])
        for one in services
        for port in one["spec"].get("ports") or []
    }
    found: dict[tuple[str, str, str], set[str]] = {}
    for part in slices:
        namespace = part["metadata"]["namespace"]
        service = (part["metadata"].get("labels") or {}).get("kubernetes.io/service-name", "")
        ready = [
            address
            for endpoint in part.get("endpoints") or []
            if (endpoint.get("conditions") or {}).get("ready") is not False
            for address in endpoint["addresses"]
        ]
        for port in part.get("ports") or []:
            name = port.get("name") or ""
            for key in {name, numbers.get((namespace, service, name), name)}:
                pods = found.setdefault((namespace, service, key), set())
                pods.update(f"{address}:{port['port']}" for address in ready)
    return {key: sorted(pods) for key, pods in found.items()}


def sites(ingresses: Iterable[Mapping[str, Any]], servers: Servers) -> tuple[list[Site], list[Problem]]:
    """Sites by host. Of two objects that claim the same path of a host, the older one has it."""
    found: dict[str, Site] = {}
    problems: list[Problem] = []
    for ingress in sorted(ingresses, key=_age):
        notes = _Notes(ingress["metadata"].get("annotations") or {})
        for host, location in _locations(ingress, notes, servers):
            site = found.setdefault(host, Site(host))
            if not _PLAIN.fullmatch(location.path):
                notes.problems.append(f"path {location.path!r} holds characters that no path may have")
            elif any((one.path, one.kind) == (location.path, location.kind) for one in site.locations):
                notes.problems.append(f'host "{host}" and path "{location.path}" is already defined')
            else:
                site.locations.append(location)
        _secure(ingress, notes, found)
        problems += [Problem(ingress, message) for message in notes.problems]
    return sorted(found.values(), key=lambda site: site.host), problems


class _Notes:
    """Annotations, read by their short name; what they say wrongly is in `problems`."""

    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._annotations = annotations
        self.problems: list[str] = []

    def text(self, name: str, pattern: re.Pattern[str] = _PLAIN) -> str | None:
        value = self._annotations.get(_PREFIX + name)
        if value is None or pattern.fullmatch(value):
            return value
        self._wrong(name, value)
        return None

    def number(self, name: str, default: int) -> int:
        value = self._annotations.get(_PREFIX + name)
        if value is None or value.isdecimal():
            return int(value) if value else default
        self._wrong(name, value)
        return default

    def switch(self, name: str, *, default: bool, on: str = "true", off: str = "false") -> bool:
        value = self._annotations.get(_PREFIX + name)
        if value not in {None, on, off}:
            self._wrong(name, str(value))
        return default if value not in {on, off} else value == on

    def networks(self, name: str) -> tuple[str, ...]:
        value = self._annotations.get(_PREFIX + name) or ""
        try:
            return tuple(
                str(ip_network(part.strip(), strict=False)) for part in value.split(",") if part.strip()
            )
        except ValueError:
            self._wrong(name, value)
            return ()

    def passing(self) -> Passing:
        scheme = (self.text("backend-protocol") or "HTTP").lower()
        if scheme not in {"http", "https", "grpc", "grpcs"}:
            self._wrong("backend-protocol", scheme)
            scheme = "http"
        return Passing(
            connect_timeout=self.number("proxy-connect-timeout", 5),
            read_timeout=self.number("proxy-read-timeout", 60),
            send_timeout=self.number("proxy-send-timeout", 60),
            body_size=self.text("proxy-body-size", _SIZE) or "1m",
            buffering=self.switch("proxy-buffering", default=False, on="on", off="off"),
            request_buffering=self.switch("proxy-request-buffering", default=True, on="on", off="off"),
            next_upstream=self.text("proxy-next-upstream", _NEXT) or "error timeout",
            tries=self.number("proxy-next-upstream-tries", 3),
            scheme=scheme,  # type: ignore[arg-type]  # checked above
            rewrite=self.text("rewrite-target"),
            host=self.text("upstream-vhost"),
            forwarded_prefix=self.text("x-forwarded-prefix"),
            allowed=self.networks("whitelist-source-range") or self.networks("allowlist-source-range"),
        )

    @property
    def regex(self) -> bool:
        return self.switch("use-regex", default=False) or self.text("rewrite-target") is not None

    def _wrong(self, name: str, value: str) -> None:
        message = f"annotation {_PREFIX}{name} contains invalid value {value!r}; it is ignored"
        if message not in self.problems:
            self.problems.append(message)


def _age(ingress: Mapping[str, Any]) -> tuple[str, str, str]:
    meta = ingress["metadata"]
    return (str(meta.get("creationTimestamp")), meta["namespace"], meta["name"])


def _locations(ingress: Mapping[str, Any], notes: _Notes, servers: Servers) -> Iterator[tuple[str, Location]]:
    namespace, spec = ingress["metadata"]["namespace"], ingress["spec"]
    passing, regex = notes.passing(), notes.regex

    def location(path: str, kind: Kind, backend: Mapping[str, Any]) -> Location:
        service = backend.get("service") or {}
        port = service.get("port") or {}
        key = (namespace, service.get("name", ""), str(port.get("name") or port.get("number") or ""))
        return Location(path, kind, "-".join(key), tuple(servers.get(key, ())), passing)

    rules = spec.get("rules") or []
    for rule in rules:
        for path in (rule.get("http") or {}).get("paths") or []:
            kind: Kind = "exact" if path["pathType"] == "Exact" else "prefix"
            if regex and path["pathType"] != "Exact":
                kind = "regex"
            yield rule.get("host") or ANY_HOST, location(path.get("path") or "/", kind, path["backend"])
    if spec.get("defaultBackend"):
        for host in {rule.get("host") or ANY_HOST for rule in rules} or {ANY_HOST}:
            yield host, location("/", "prefix", spec["defaultBackend"])


def _secure(ingress: Mapping[str, Any], notes: _Notes, found: Mapping[str, Site]) -> None:
    """TLS entries, and whether plain HTTP is sent to HTTPS."""
    hosts = {rule.get("host") or ANY_HOST for rule in ingress["spec"].get("rules") or []}
    for entry in ingress["spec"].get("tls") or []:
        for host in hosts & set(entry.get("hosts") or hosts):
            site = found.get(host)
            if site is None:
                continue
            site.tls = True
            site.redirect = notes.switch("ssl-redirect", default=True)
            if entry.get("secretName") and site.secret is None:
                site.secret = (ingress["metadata"]["namespace"], entry["secretName"])
    if notes.switch("force-ssl-redirect", default=False):
        for host in hosts & found.keys():
            found[host].redirect = True
