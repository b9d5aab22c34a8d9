"""Ingress objects rendered as one nginx configuration, as AKS's managed nginx would serve them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ANNOTATION = "nginx.ingress.kubernetes.io/"
#: What a name may consist of in nginx's configuration; anything else is replaced.
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
_SIZE = re.compile(r"\d+[kmg]?", re.IGNORECASE)


@dataclass(frozen=True)
class Location:
    """One path of a host. `servers` are `ip:port` of ready pods; none answers 503."""

    path: str
    exact: bool
    servers: tuple[str, ...]
    timeout_seconds: int = 60
    body_size: str = "1m"


@dataclass(frozen=True)
class Site:
    """One host. `certificate` is the path without `.crt` and `.key`, None serves plain HTTP only."""

    host: str
    locations: tuple[Location, ...]
    certificate: Path | None = None
    redirect: bool = True


@dataclass
class _Host:
    locations: list[Location] = field(default_factory=list)
    redirect: bool = True


def hosts(
    ingresses: Iterable[Mapping[str, Any]], servers: Mapping[tuple[str, str, str], Sequence[str]]
) -> dict[str, tuple[list[Location], bool]]:
    """Host -> (locations, whether HTTP is sent to HTTPS). `servers` is keyed by namespace, service and the
    port's name or number."""
    found: dict[str, _Host] = {}
    for ingress in sorted(ingresses, key=lambda one: str(one["metadata"].get("creationTimestamp"))):
        notes = ingress["metadata"].get("annotations") or {}
        namespace = ingress["metadata"]["namespace"]
        for rule in ingress["spec"].get("rules") or []:
            site = found.setdefault(rule.get("host") or "_", _Host())
            site.redirect = notes.get(f"{_ANNOTATION}ssl-redirect", "true") == "true"
            for path in (rule.get("http") or {}).get("paths") or []:
                service = path["backend"].get("service") or {}
                port = service.get("port") or {}
                key = (namespace, service.get("name", ""), str(port.get("name") or port.get("number")))
                site.locations.append(_location(path, notes, tuple(servers.get(key, ()))))
    return {host: (site.locations, site.redirect) for host, site in found.items()}


def _location(path: Mapping[str, Any], notes: Mapping[str, str], servers: tuple[str, ...]) -> Location:
    timeout = notes.get(f"{_ANNOTATION}proxy-read-timeout", "60")
    size = notes.get(f"{_ANNOTATION}proxy-body-size", "1m")
    return Location(
        path=path.get("path") or "/",
        exact=path.get("pathType") == "Exact",
        servers=servers,
        timeout_seconds=int(timeout) if timeout.isdigit() else 60,
        body_size=size if _SIZE.fullmatch(size) else "1m",
    )


def render(sites: Sequence[Site], *, address: str, folder: Path, default: Path) -> str:
    """The configuration. nginx listens on `address`; `default` is the certificate for unknown hosts."""
    temporary = "\n".join(
        f"    {kind}_temp_path {folder / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    upstreams: dict[tuple[str, ...], str] = {}
    for site in sites:
        for location in site.locations:
            if location.servers:
                upstreams.setdefault(location.servers, f"pods{len(upstreams)}")
    parts = [
        f"""daemon off;
worker_processes 1;
user root;
pid {folder / "nginx.pid"};
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
{temporary}
    log_format main '$remote_addr "$request" $status $body_bytes_sent $request_time $host $upstream_addr';
    access_log {folder / "access.log"} main;
    server_tokens off;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{
        listen {address}:80 default_server;
        listen {address}:443 ssl default_server;
        ssl_certificate {default}.crt;
        ssl_certificate_key {default}.key;
        return 404;
    }}"""
    ]
    parts += [_upstream(name, servers) for servers, name in upstreams.items()]
    parts += [_server(site, address, upstreams) for site in sites if site.host != "_"]
    return "\n".join([*parts, "}", ""])


def _upstream(name: str, servers: Sequence[str]) -> str:
    lines = "".join(f"        server {server} max_fails=0;\n" for server in servers)
    return f"    upstream {name} {{\n{lines}        keepalive 32;\n    }}"


def _server(site: Site, address: str, upstreams: Mapping[tuple[str, ...], str]) -> str:
    host = _UNSAFE.sub("", site.host)
    locations = "\n".join(_block(location, upstreams) for location in site.locations)
    if site.certificate is None:
        return (
            f"    server {{\n        listen {address}:80;\n        server_name {host};\n{locations}\n    }}"
        )
    plain = (
        f"    server {{\n        listen {address}:80;\n        server_name {host};\n"
        "        return 308 https://$host$request_uri;\n    }\n"
        if site.redirect
        else (
            f"    server {{\n        listen {address}:80;\n        server_name {host};\n{locations}\n    }}\n"
        )
    )
    return plain + (
        f"    server {{\n        listen {address}:443 ssl http2;\n        server_name {host};\n"
        f"        ssl_certificate {site.certificate}.crt;\n"
        f"        ssl_certificate_key {site.certificate}.key;\n{locations}\n    }}"
    )


def _block(location: Location, upstreams: Mapping[tuple[str, ...], str]) -> str:
    safe = "".join(letter for letter in location.path if letter not in ' "{};\\\n')
    if location.servers:
        inside = f"""            proxy_pass http://{upstreams[location.servers]};
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_connect_timeout 5s;
            proxy_read_timeout {location.timeout_seconds}s;
            proxy_send_timeout {location.timeout_seconds}s;
            proxy_next_upstream error timeout;
            proxy_next_upstream_tries 3;
            proxy_buffering off;
            client_max_body_size {location.body_size};"""
    else:
        inside = "            return 503;"
    if location.exact:
        return f"        location = {safe} {{\n{inside}\n        }}"
    trimmed = safe.rstrip("/")
    exact = f"        location = {trimmed} {{\n{inside}\n        }}\n" if trimmed else ""
    return f"{exact}        location {trimmed}/ {{\n{inside}\n        }}"
