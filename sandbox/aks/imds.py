"""A node's instance metadata service: nginx at 169.254.169.254, which hands every request to the sandbox's
Azure together with the node's secret. Azure's side (who the node is, its identities) is in `metadata`."""

from __future__ import annotations

from pathlib import Path

from sandbox.aks import endpoint
from sandbox.aks.files import write
from sandbox.aks.layout import NodeLayout
from sandbox.aks.network import IMDS
from sandbox.services import Services


def configure(services: Services, node: NodeLayout) -> None:
    write(_file(node), render(services, node), mode=0o600)


def command(node: NodeLayout) -> list[str]:
    return ["nginx", "-e", "stderr", "-c", str(_file(node)), "-p", str(node.folder / "etc")]


def render(services: Services, node: NodeLayout) -> str:
    host = endpoint.host(services)
    folder = node.folder / "imds"
    folder.mkdir(parents=True, exist_ok=True)
    kept = "\n".join(
        f"    {kind}_temp_path {folder / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""daemon off;
worker_processes 1;
user root;
pid {folder / "pid"};
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
{kept}
    access_log off;
    server {{
        listen {IMDS}:80;
        # As on Azure: a request that was forwarded for someone else is none of the machine's own.
        if ($http_x_forwarded_for) {{ return 400; }}
        location /metadata/ {{
            proxy_pass https://{services.config.gateway}:443/{node.cluster.key}/nodes/{node.number}$request_uri;
            proxy_http_version 1.1;
            proxy_set_header Host {host};
            proxy_set_header Authorization "Bearer {endpoint.secret(node.cluster)}";
            proxy_ssl_name {host};
            proxy_ssl_server_name on;
            proxy_ssl_verify on;
            proxy_ssl_trusted_certificate {services.config.ca_certificate};
        }}
        location / {{ return 404; }}
    }}
}}
"""


def _file(node: NodeLayout) -> Path:
    return node.folder / "etc" / "imds.conf"
