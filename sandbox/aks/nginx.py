"""nginx's configuration for the sites of a cluster, as ingress-nginx would have it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sandbox.aks.ingressrules import ANY_HOST, Location, Passing, Site

#: ingress-nginx's own log line.
_LOG = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" $request_length $request_time [$backend] [] $upstream_addr '
    "$upstream_response_length $upstream_response_time $upstream_status $req_id"
)
_HEADERS = {
    "X-Request-ID": "$req_id",
    "X-Real-IP": "$remote_addr",
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Host": "$http_host",
    "X-Forwarded-Port": "$server_port",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-Scheme": "$scheme",
    "X-Scheme": "$scheme",
    "X-Original-Forwarded-For": "$http_x_forwarded_for",
}


#: What is asked for there is never sent to HTTPS, which may not work yet.
_CHALLENGE = "/.well-known/acme-challenge"


def render(
    sites: Sequence[Site],
    *,
    address: str,
    folder: Path,
    default: Path,
    certificates: Mapping[str, Path],
    challenges: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """nginx listens on `address`. Certificates are paths without `.crt` and `.key`: by host, and `default`
    for the others. `challenges` are key authorizations by host and token (ACME's HTTP-01)."""
    answers = challenges or {}
    sites = [*sites, *(Site(host) for host in answers if host not in {site.host for site in sites})]
    servers = {location.servers for site in sites for location in site.locations if location.servers}
    names = {pods: f"pods{number}" for number, pods in enumerate(sorted(servers))}
    known = {site.host: site for site in sites}
    temporary = "\n".join(
        f"    {kind}_temp_path {folder / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"""daemon off;
worker_processes 1;
worker_shutdown_timeout 240s;
user root;
pid {folder / "nginx.pid"};
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
{temporary}
    log_format upstreaminfo '{_LOG}';
    access_log /dev/stdout upstreaminfo;
    server_tokens off;
    server_names_hash_bucket_size 256;
    keepalive_timeout 75s;
    # To pods and their network policies, the controller is a pod with this address.
    proxy_bind {address};
    grpc_bind {address};
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    map $http_x_request_id $req_id {{ default $http_x_request_id; '' $request_id; }}
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:SSL:10m;"""
    parts = [head, *(_upstream(names[pods], pods) for pods in sorted(servers))]
    parts.append(_server(known.get(ANY_HOST, Site(ANY_HOST)), address, default, names, {}))
    parts += [
        _server(site, address, certificates.get(site.host, default), names, answers.get(site.host, {}))
        for site in sites
        if site.host != ANY_HOST
    ]
    return "\n".join([*parts, "}", ""])


def _upstream(name: str, servers: Iterable[str]) -> str:
    lines = "".join(f"        server {server} max_fails=0;\n" for server in servers)
    return f"    upstream {name} {{\n{lines}        keepalive 32;\n    }}"


def _server(
    site: Site,
    address: str,
    certificate: Path,
    names: Mapping[tuple[str, ...], str],
    answers: Mapping[str, str],
) -> str:
    default = " default_server" if site.host == ANY_HOST else ""
    lines = [
        f"listen {address}:80{default};",
        f"listen {address}:443 ssl http2{default};",
        f"server_name {site.host};",
        f'ssl_certificate "{certificate}.crt";',
        f'ssl_certificate_key "{certificate}.key";',
        'set $backend "";',
    ]
    if site.redirect:
        lines += [
            'set $plain "$scheme$uri";',
            f'if ($plain ~ "^http{_CHALLENGE}/") {{ set $plain ""; }}',
            'if ($plain ~ "^http/") { return 308 https://$host$request_uri; }',
        ]
    if site.tls:
        lines.append('add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;')
    for token, text in sorted(answers.items()):
        lines.append(f'location = "{_CHALLENGE}/{token}" {{ default_type text/plain; return 200 "{text}"; }}')
    regex = any(location.kind == "regex" for location in site.locations)
    for location in _ordered(site.locations):
        for match in _matches(location, regex=regex):
            lines += [f"location {match} {{", *(f"    {line}" for line in _pass(location, names)), "}"]
    if not any(location.path == "/" and location.kind != "exact" for location in site.locations):
        lines.append("location / { return 404; }")
    return "    server {\n" + "".join(f"        {line}\n" for line in lines) + "    }"


def _ordered(locations: Iterable[Location]) -> list[Location]:
    """nginx takes the first regular expression that fits: the longest path goes first."""
    return sorted(locations, key=lambda one: (one.kind != "exact", -len(one.path), one.path))


def _matches(location: Location, *, regex: bool) -> list[str]:
    """nginx's way to say a path. Once a host has one regular expression, all its paths become some, because
    nginx prefers those to prefixes."""
    path = location.path
    if location.kind == "exact":
        return [f'= "{path}"']
    if location.kind == "regex":
        return [f'~* "^{path}"']
    bare = path.rstrip("/")
    if regex:
        return [f'~* "^{re.escape(bare)}(?:/|$)"']
    # A prefix is made of whole segments: /foo takes /foo and /foo/bar, not /foobar.
    return [f'= "{bare}"', f'"{bare}/"'] if bare else ["/"]


def _pass(location: Location, names: Mapping[tuple[str, ...], str]) -> list[str]:
    passing = location.passing
    lines = [f'set $backend "{location.name}";']
    lines += [f"allow {network};" for network in passing.allowed]
    lines += ["deny all;"] if passing.allowed else []
    if not location.servers:
        return [*lines, "return 503;"]
    lines.append(f"client_max_body_size {passing.body_size};")
    if passing.rewrite is not None:
        lines.append(f'rewrite "(?i)^{location.path}" "{passing.rewrite}" break;')
    grpc = passing.scheme.startswith("grpc")
    kind = "grpc" if grpc else "proxy"
    headers = {"Host": f'"{passing.host}"' if passing.host else "$http_host", **_HEADERS}
    if passing.forwarded_prefix:
        headers["X-Forwarded-Prefix"] = f'"{passing.forwarded_prefix}"'
    if not grpc:
        headers |= {"Upgrade": "$http_upgrade", "Connection": "$connection_upgrade"}
    lines += [f"{kind}_set_header {name} {value};" for name, value in headers.items()]
    lines += [
        f"{kind}_connect_timeout {passing.connect_timeout}s;",
        f"{kind}_read_timeout {passing.read_timeout}s;",
        f"{kind}_send_timeout {passing.send_timeout}s;",
        f"{kind}_next_upstream {passing.next_upstream};",
        f"{kind}_next_upstream_tries {passing.tries};",
        *([] if grpc else _http(passing)),
        f"{kind}_pass {passing.scheme}://{names[location.servers]};",
    ]
    return lines


def _http(passing: Passing) -> list[str]:
    return [
        "proxy_http_version 1.1;",
        f"proxy_buffering {'on' if passing.buffering else 'off'};",
        f"proxy_request_buffering {'on' if passing.request_buffering else 'off'};",
        # The pod is reached by its address; its certificate, if it has one, names something else.
        "proxy_ssl_verify off;",
    ]
