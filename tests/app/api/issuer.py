"""Entra ID's part in a test: metadata and keys over HTTP, and tokens signed with them."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "api://agents-test"


class Issuer:
    """`keys` are those it publishes, by id; `asked` counts how often."""

    def __init__(self, url: str) -> None:
        self.url, self.asked, self.available, self.claimed = url, 0, True, url
        self.keys = {"one": key_of("one")}

    def token(self, key: rsa.RSAPrivateKey | str | None = None, kid: str = "one", **claims: Any) -> str:
        now = int(time.time())
        body = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "subject",
            "oid": "00000000-0000-0000-0000-0000000000aa",
            "roles": ["Agents.Execute"],
            "nbf": now - 10,
            "exp": now + 600,
            **claims,
        }
        given = {name: value for name, value in body.items() if value is not None}
        algorithm = "HS256" if isinstance(key, str) else "RS256"
        return jwt.encode(given, key or self.keys[kid], algorithm, {"kid": kid})

    def document(self, path: str) -> dict[str, Any]:
        if path.endswith("openid-configuration"):
            return {"issuer": self.claimed, "jwks_uri": f"{self.url}/keys"}
        self.asked += 1
        keys = [
            {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}
            for kid, key in self.keys.items()
        ]
        return {"keys": keys}


@cache
def key_of(name: str) -> rsa.RSAPrivateKey:
    """A key of that name, made once: making one takes a while."""
    return rsa.generate_private_key(65537, 2048)


@contextmanager
def serving() -> Iterator[Issuer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(issuer.document(self.path)).encode()
            self.send_response(200 if issuer.available else 503)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = Issuer(f"http://127.0.0.1:{server.server_port}/tenant/v2.0")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
