"""The rendered configuration, judged by nginx itself: that it takes it, and how it then answers."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.aks import nginx
from sandbox.aks.certificates import Certificates
from sandbox.aks.ingressrules import sites
from tests.sandbox.aks.objects import ingress
from tests.sandbox.azure.fakes import Authority

pytestmark = pytest.mark.skipif(
    shutil.which("nginx") is None or os.geteuid() != 0, reason="needs nginx and root (ports 80 and 443)"
)


class _Pod(BaseHTTPRequestHandler):
    """Answers what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "headers": dict(self.headers.items())}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def pod() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pod)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()


class Front:
    """nginx on an address of the loopback of its own, with what Ingress objects ask for."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.authority = Authority()
        self.process: subprocess.Popen[bytes] | None = None

    def serve(
        self,
        pod: str,
        *objects: dict[str, Any],
        gone: bool = False,
        challenges: dict[str, dict[str, str]] | None = None,
    ) -> None:
        servers = {("default", "web", "80"): [] if gone else [pod]}
        found, _ = sites(objects, servers)
        certificates = Certificates(self.folder, self.authority)
        text = nginx.render(
            found,
            address=self.address,
            folder=self.folder,
            default=certificates.issued("default.test"),
            certificates=certificates.of(found, {}),
            challenges=challenges,
        )
        (self.folder / "nginx.conf").write_text(text)
        command = ["nginx", "-e", "stderr", "-c", str(self.folder / "nginx.conf")]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection((self.address, 443), 1).close()
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return

    def ask(
        self, path: str, *, host: str = "web.azure.test", scheme: str = "http", **options: Any
    ) -> httpx.Response:
        trust = ssl.create_default_context(cadata=self.authority.pem)
        trust.check_hostname = scheme == "https" and host != "unknown.test"
        headers = {"Host": host, **options.pop("headers", {})}
        with httpx.Client(verify=trust, trust_env=False) as client:
            return client.request(
                options.pop("method", "GET"),
                f"{scheme}://{self.address}{path}",
                headers=headers,
                extensions={"sni_hostname": host},
                **options,
            )

    def end(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    made = Front(tmp_path, "127.77.0.1")
    yield made
    made.end()


def test_prefixes_are_whole_segments_and_the_rest_is_404(front: Front, pod: str) -> None:
    front.serve(pod, ingress("a", ("/api", "Prefix"), ("/only", "Exact")))
    answers = {
        path: front.ask(path).status_code
        for path in ("/api", "/api/", "/api/x?q=1", "/apis", "/only", "/only/x", "/")
    }
    assert answers == {
        "/api": 200, "/api/": 200, "/api/x?q=1": 200, "/apis": 404, "/only": 200, "/only/x": 404, "/": 404,
    }  # fmt: skip
    assert front.ask("/api/x?q=1").json()["path"] == "/api/x?q=1"
    assert front.ask("/api", host="unknown.test").status_code == 404


def test_pods_learn_who_asked_for_what(front: Front, pod: str) -> None:
    front.serve(pod, ingress("a", ("/", "Prefix"), tls="cert"))
    spoofed = {"X-Forwarded-For": "1.2.3.4", "X-Request-ID": "abc"}
    seen = front.ask("/", scheme="https", headers=spoofed).json()["headers"]
    assert seen["Host"] == "web.azure.test"
    assert seen["X-Forwarded-Proto"] == "https"
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Request-ID"] == "abc"
    assert len(front.ask("/", scheme="https").json()["headers"]["X-Request-ID"]) == 32


def test_plain_http_is_sent_to_https(front: Front, pod: str) -> None:
    front.serve(pod, ingress("a", ("/", "Prefix"), tls="cert"))
    answer = front.ask("/a?b=c", method="POST")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://web.azure.test/a?b=c")
    assert "max-age" in front.ask("/", scheme="https").headers["strict-transport-security"]


def test_no_ready_pod_is_503(front: Front, pod: str) -> None:
    front.serve(pod, ingress("a", ("/", "Prefix")), gone=True)
    assert front.ask("/").status_code == 503


def test_paths_are_rewritten(front: Front, pod: str) -> None:
    objects = [
        ingress("a", ("/x(/|$)(.*)", "ImplementationSpecific"), notes={"rewrite-target": "/$2"}),
        ingress("b", ("/x.y", "Prefix"), ("/z", "Exact")),
    ]
    front.serve(pod, *objects)
    assert front.ask("/x/a/b").json()["path"] == "/a/b"
    assert front.ask("/x.y/c").json()["path"] == "/x.y/c"
    assert front.ask("/xay").status_code == 404
    assert front.ask("/z").json()["path"] == "/z"


def test_bodies_have_a_bound(front: Front, pod: str) -> None:
    front.serve(pod, ingress("a", ("/", "Prefix"), notes={"proxy-body-size": "1k"}))
    assert front.ask("/", method="POST", content=b"a" * 2000).status_code == 413


def test_only_allowed_networks_get_in(front: Front, pod: str) -> None:
    front.serve(pod, ingress("a", ("/", "Prefix"), notes={"whitelist-source-range": "10.0.0.0/8"}))
    assert front.ask("/").status_code == 403


@pytest.mark.parametrize("host", ["web.azure.test", "*.azure.test", None])
def test_odd_paths_and_hosts_are_no_syntax(front: Front, pod: str, host: str | None) -> None:
    odd = ["/a b", "/a;b", "/{a}", "/a'b", "/$a", "/#", "/ü", "/a\\b", "/~"]
    front.serve(pod, ingress("a", *((path, "Prefix") for path in odd), host=host))
    assert front.ask("/a;b").status_code == 200
    assert front.ask("/a").status_code == 404


def test_every_annotation_gives_a_configuration_that_nginx_takes(front: Front, pod: str) -> None:
    notes = {
        "backend-protocol": "GRPC",
        "proxy-buffering": "on",
        "upstream-vhost": "inner",
        "x-forwarded-prefix": "/p",
        "proxy-next-upstream": "error http_502",
    }
    front.serve(pod, ingress("a", ("/grpc", "Prefix"), notes=notes), ingress("b", ("/", "Prefix")))
    assert front.ask("/").status_code == 200


def test_challenges_are_answered_in_plain_http_whatever_else_is_redirected(front: Front, pod: str) -> None:
    path = "/.well-known/acme-challenge"
    challenges = {"web.azure.test": {"to-ken": "to-ken.print"}, "new.azure.test": {"other": "other.print"}}
    front.serve(pod, ingress("a", ("/", "Prefix"), tls="cert"), challenges=challenges)
    answer = front.ask(f"{path}/to-ken")
    assert (answer.status_code, answer.text) == (200, "to-ken.print")
    assert front.ask(f"{path}/other", host="new.azure.test").text == "other.print"
    assert front.ask(f"{path}/other", host="unknown.test").status_code == 404
    assert front.ask(f"{path}/unknown").status_code == 200, "as any other path: the pod answers"
    assert front.ask("/.well-known/other").status_code == 308
    assert front.ask("/").status_code == 308
