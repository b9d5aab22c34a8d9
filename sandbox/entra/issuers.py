"""Outside issuers: their signing keys, fetched over HTTPS from where their OpenID configuration says."""

from __future__ import annotations

import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

from sandbox.entra.errors import EntraError

#: Seconds that fetched keys are used without asking again, and that a fetch may take.
_FRESH = 300.0
_PATIENCE = 10.0
_MAX_BYTES = 1_000_000
ALGORITHMS = ["RS256", "ES256"]


class Issuers:
    """`local` names what lies under this suffix, and where that is reached without name resolution."""

    def __init__(self, trust: ssl.SSLContext, *, suffix: str, local: str) -> None:
        self._trust = trust
        self._suffix = "." + suffix
        self._local = local
        self._keys: dict[str, tuple[float, list[jwt.PyJWK]]] = {}

    async def verify(self, issuer: str, token: str) -> dict[str, Any]:
        """The claims of a token that `issuer` signed and that is valid now. Raises EntraError."""
        kid = jwt.get_unverified_header(token).get("kid")
        keys = await self._fresh(issuer)
        if not any(key.key_id == kid for key in keys):
            self._keys.pop(issuer, None)
            keys = await self._fresh(issuer)
        try:
            # A key may have been exchanged under the same id (a cluster made anew): fetch once more.
            return _decode(token, kid, keys)
        except jwt.InvalidSignatureError:
            self._keys.pop(issuer, None)
        try:
            return _decode(token, kid, await self._fresh(issuer))
        except jwt.InvalidSignatureError as error:
            raise EntraError(
                401,
                "invalid_client",
                700027,
                "The certificate with identifier used to sign the client assertion is not registered on "
                f"application: the signature does not match the keys of issuer '{issuer}'.",
            ) from error

    async def _fresh(self, issuer: str) -> list[jwt.PyJWK]:
        fetched_at, keys = self._keys.get(issuer, (0.0, []))
        if time.monotonic() - fetched_at < _FRESH and keys:
            return keys
        configuration = await self._fetch(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if configuration.get("issuer") != issuer:
            raise _unreachable(issuer, f"its configuration names the issuer '{configuration.get('issuer')}'")
        found = await self._fetch(str(configuration.get("jwks_uri", "")))
        try:
            keys = jwt.PyJWKSet.from_dict(found).keys
        except (jwt.PyJWKSetError, jwt.InvalidKeyError, KeyError, TypeError) as error:
            raise _unreachable(issuer, f"its keys cannot be read: {error}") from error
        self._keys[issuer] = (time.monotonic(), keys)
        return keys

    async def _fetch(self, url: str) -> dict[str, Any]:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https":
            raise _unreachable(url, "the URL must begin with https://")
        target, extensions = url, {}
        if host.endswith(self._suffix):
            target = f"https://{self._local}{parts.path}"
            extensions = {"sni_hostname": host}
        try:
            async with httpx.AsyncClient(verify=self._trust, timeout=_PATIENCE, trust_env=False) as client:
                answer = await client.get(target, headers={"Host": parts.netloc}, extensions=extensions)
            answer.raise_for_status()
            body = answer.json() if len(answer.content) <= _MAX_BYTES else None
        except (httpx.HTTPError, ValueError) as error:
            raise _unreachable(url, str(error) or type(error).__name__) from error
        if not isinstance(body, dict):
            raise _unreachable(url, "the answer is no JSON object")
        return body


def _decode(token: str, kid: Any, keys: list[jwt.PyJWK]) -> dict[str, Any]:
    key = next((key for key in keys if key.key_id == kid), None)
    if key is None:
        raise jwt.InvalidSignatureError(f"no key has the id {kid}")
    options: Any = {"verify_aud": False, "require": ["exp", "iss", "sub", "aud"]}
    try:
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=ALGORITHMS, options=options)
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise EntraError(
            401,
            "invalid_client",
            700024,
            f"Client assertion is not within its valid time range ({error}).",
        ) from error
    except jwt.InvalidSignatureError:
        raise
    except jwt.InvalidTokenError as error:
        raise EntraError(
            401, "invalid_client", 50027, f"JWT token is invalid or malformed: {error}."
        ) from error
    return claims


def _unreachable(url: str, why: str) -> EntraError:
    return EntraError(
        400, "invalid_request", 50166, f"Request to External OIDC endpoint failed: '{url}': {why}."
    )
