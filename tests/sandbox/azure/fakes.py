"""Stand-ins for what the services are handed: grants as data, tokens that name a principal, names noted "
"down."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from azure.core.credentials import AccessToken
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Principal
from sandbox.config import TENANT_ID
from sandbox.services import Program


def token(object_id: str, audience: str) -> str:
    claims = {"oid": object_id, "aud": audience}
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()


@dataclass(frozen=True)
class Credential:
    """An azure-identity look-alike, sync and async, that issues the fake's tokens."""

    object_id: str

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        audience = scopes[0].removesuffix("/.default")
        return AccessToken(token(self.object_id, audience), 4102444800)


class Tokens:
    def issue(self, object_id: str, audience: str, *, claims: Mapping[str, Any] | None = None) -> str:
        return token(object_id, audience)

    def verify(self, token: str, audiences: Sequence[str]) -> Principal:
        try:
            claims = json.loads(base64.urlsafe_b64decode(token))
        except ValueError as error:
            raise ArmError(401, "InvalidAuthenticationToken", "The access token is invalid.") from error
        if claims["aud"].rstrip("/") not in [audience.rstrip("/") for audience in audiences]:
            raise ArmError(401, "InvalidAuthenticationTokenAudience", f"Wrong audience {claims['aud']}.")
        return Principal(claims["oid"], f"app-{claims['oid']}", TENANT_ID, claims["aud"], claims)


@dataclass
class Rbac:
    #: (object id, action, scope, data)
    grants: set[tuple[str, str, str, bool]] = field(default_factory=set)

    def grant(self, object_id: str, *actions: str, scope: str = "/", data: bool = True) -> None:
        self.grants |= {(object_id, action.lower(), scope.lower().rstrip("/"), data) for action in actions}

    def allows(self, object_id: str, action: str, scope: str, *, data: bool = False) -> bool:
        return any(
            who == object_id
            and what == action.lower()
            and kind == data
            and f"{scope.lower()}/".startswith(f"{at}/")
            for who, what, at, kind in self.grants
        )

    def require(self, principal: Principal, action: str, scope: str, *, data: bool = False) -> None:
        if not self.allows(principal.object_id, action, scope, data=data):
            raise ArmError(
                403, "AuthorizationFailed", f"{principal.object_id} may not {action} over {scope}."
            )


@dataclass
class Hosts:
    names: dict[str, str | None] = field(default_factory=dict)

    def publish(self, name: str, address: str | None = None) -> None:
        self.names[name] = address

    def withdraw(self, name: str) -> None:
        self.names.pop(name, None)


@dataclass
class Router:
    apps: dict[str, Any] = field(default_factory=dict)

    def mount(self, pattern: str, app: Any) -> None:
        self.apps[pattern] = app

    def find(self, host: str) -> Any:
        return self.apps.get(host) or self.apps.get("*." + host.partition(".")[2])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        host = headers.get(b"host", b"").decode().partition(":")[0]
        app = self.find(host)
        if app is None:
            await send({"type": "http.response.start", "status": 421, "headers": []})
            await send({"type": "http.response.body", "body": f"nothing is mounted at '{host}'".encode()})
            return
        await app(scope, receive, send)


@dataclass
class Supervisor:
    """Runs programs as they are, on the host's network; `end` ends what runs."""

    programs: dict[str, Program] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    async def start(self, program: Program) -> None:
        if self.programs.get(program.name) == program and self.running[program.name].poll() is None:
            return
        await self.stop(program.name)
        environment = {**os.environ, **(program.env or {})}
        user = program.user
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        process = subprocess.Popen(  # noqa: ASYNC220
            [*become, *program.command], env=environment, cwd=program.directory, stdout=subprocess.DEVNULL
        )
        self.programs[program.name], self.running[program.name] = program, process

    async def stop(self, name: str) -> None:
        program = self.programs.pop(name, None)
        process = self.running.pop(name, None)
        if program is not None and process is not None:
            process.send_signal(getattr(signal, f"SIG{program.stop_signal}"))
            # In a thread: what it waits for may run on this loop.
            try:
                await asyncio.to_thread(process.wait, program.stop_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    async def status(self) -> Mapping[str, str]:
        return dict.fromkeys(self.programs, "RUNNING")

    def end(self) -> None:
        for name in list(self.running):
            asyncio.run(self.stop(name))


class Authority:
    """A certificate authority whose certificates live for a day."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        usage = x509.KeyUsage(*[False] * 5, True, True, False, False)
        builder = self._builder(self._name, self._key.public_key())
        self._certificate = (
            builder.add_extension(constraints, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(
        self, names: Sequence[str], *, client: str | None = None, group: str | None = None
    ) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        certificate = (
            self._builder(name, key.public_key())
            .add_extension(alternatives, critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()

    def sign(self, request: str, *, seconds: float) -> str:
        asked = x509.load_pem_x509_csr(request.encode())
        names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        builder = self._builder(asked.subject, asked.public_key(), end)
        certificate = builder.add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM).decode() + self.pem

    def _builder(
        self, name: x509.Name, key: CertificatePublicKeyTypes, end: dt.datetime | None = None
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(end or now + dt.timedelta(days=1))
        )
