"""ACME's HTTP-01 challenge (RFC 8555, section 8.3): what is to be served at a name, and asking whether it is.

The ingress controller serves it in place of the pods that cert-manager would start. The question is asked as
the ACME server would ask it: the name is looked up and its port 80 visited, so that only names that lead to
the cluster's ingress are certified.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.aks.certmanager import keys

PATH = "/.well-known/acme-challenge"
#: Seconds a server may take to answer, as Let's Encrypt's.
_TIMEOUT = 10.0
#: A name -> its address; None for a name that does not resolve.
Resolve = Callable[[str], str | None]


@dataclass
class Challenges:
    """What an ingress controller is to serve: host -> token -> key authorization."""

    served: dict[str, dict[str, str]] = field(default_factory=dict)

    def present(self, host: str, token: str, authorization: str) -> bool:
        """False when it is there already."""
        at = self.served.setdefault(host, {})
        if at.get(token) == authorization:
            return False
        at[token] = authorization
        return True

    def keep(self, wanted: set[tuple[str, str]]) -> bool:
        """Forget all but these (host, token); whether something was forgotten."""
        before = {host: dict(at) for host, at in self.served.items()}
        kept = {
            host: {token: text for token, text in at.items() if (host, token) in wanted}
            for host, at in before.items()
        }
        self.served = {host: at for host, at in kept.items() if at}
        return self.served != before


def new_token() -> str:
    return secrets.token_urlsafe(32)


def key_authorization(token: str, account_key: str) -> str:
    """The token with the thumbprint (RFC 7638) of the account's public key (PEM of the private one)."""
    key = keys.load(account_key)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the key of an ACME account is an RSA key")
    numbers = key.public_key().public_numbers()
    jwk = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
    digest = hashlib.sha256(json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()).digest()
    return f"{token}.{_base64(digest)}"


def solver_for(issuer: Mapping[str, Any], host: str) -> Mapping[str, Any] | None:
    """The issuer's solver whose selector fits a name best; None when none does."""
    best: tuple[int, Mapping[str, Any]] | None = None
    for solver in (issuer["spec"].get("acme") or {}).get("solvers") or ():
        score = _score(solver.get("selector") or {}, host)
        if score >= 0 and (best is None or score > best[0]):
            best = (score, solver)
    return best[1] if best else None


def _score(selector: Mapping[str, Any], host: str) -> int:
    """How narrowly a selector fits; -1 when it does not."""
    if host in (selector.get("dnsNames") or ()):
        return 1000
    zones = [zone for zone in selector.get("dnsZones") or () if host == zone or host.endswith(f".{zone}")]
    if zones:
        return max(len(zone) for zone in zones)
    return -1 if selector.get("dnsNames") or selector.get("dnsZones") or selector.get("matchLabels") else 0


async def check(
    client: httpx.AsyncClient, resolve: Resolve, host: str, token: str, expected: str
) -> str | None:
    """Why the challenge is not served at a name; None when it is."""
    url = f"http://{host}{PATH}/{token}"
    failed = f"failed to perform self check GET request '{url}': Get \"{url}\": "
    address = resolve(host)
    if address is None:
        return f"{failed}dial tcp: lookup {host}: no such host"
    try:
        answer = await client.get(f"http://{address}{PATH}/{token}", headers={"Host": host}, timeout=_TIMEOUT)
    except httpx.HTTPError as error:
        return f"{failed}dial tcp {address}:80: {error or type(error).__name__}"
    if answer.status_code != 200:
        return f"wrong status code '{answer.status_code}', expected '200'"
    if answer.text != expected:
        return f'did not get expected response "{expected}" when querying endpoint'
    return None


def _number(value: int) -> str:
    return _base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
