"""Entra ID's bearer tokens: whose they are, and what they let their bearer do.

https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from threading import Lock
from typing import Any

import httpx
import jwt
from jwt import PyJWKClient, PyJWKClientConnectionError, PyJWKClientError, PyJWTError

from app.settings import AuthenticationSettings

# Entra ID signs with nothing else.
_ALGORITHMS = ["RS256"]
_FETCH_SECONDS = 5
# Microsoft asks to look for new keys once a day; a key that is not known is looked for at once, but not by
# everybody who makes one up.
_KEYS_SECONDS = 24 * 3600
LOOK_AGAIN_SECONDS = 30
_PUBLIC = "https://login.microsoftonline.com/"


class TokenError(Exception):
    """The token is not taken; the message says why, and nothing that the token holds."""


class KeysError(Exception):
    """The issuer's keys cannot be had now, so that no token can be judged."""


@dataclass(frozen=True)
class Caller:
    """`id` is the principal's object id; `roles` are its app roles on this application."""

    id: str
    roles: frozenset[str]


class Tokens:
    """Judges tokens of one issuer for one audience, by keys that it fetches and keeps."""

    def __init__(self, settings: AuthenticationSettings) -> None:
        authority = os.environ.get("AZURE_AUTHORITY_HOST", _PUBLIC).rstrip("/")
        issuer = str(settings.issuer) if settings.issuer else f"{authority}/{settings.tenant_id}/v2.0"
        self._settings, self._issuer = settings, issuer.rstrip("/")
        self._keys: PyJWKClient | None = None
        self._lock = Lock()

    async def judge(self, token: str) -> Caller:
        """Raises TokenError or KeysError."""
        # Keys are fetched by a client that blocks.
        return await asyncio.to_thread(self._judge, token)

    def _judge(self, token: str) -> Caller:
        try:
            # Before its key is looked for: what is no token, or has another algorithm, costs no request.
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS or not isinstance(header.get("kid"), str):
                raise TokenError("the token is not signed as Entra ID signs")
            key = self._client().get_signing_key(header["kid"])
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self._settings.audience,
                issuer=self._issuer,
                leeway=self._settings.leeway_seconds,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except PyJWKClientConnectionError as error:
            raise KeysError(f"the issuer's keys cannot be fetched: {error}") from error
        except PyJWKClientError as error:
            raise TokenError("the token is signed with a key that its issuer does not have") from error
        except PyJWTError as error:
            raise TokenError(str(error)) from error
        return Caller(str(claims.get("oid") or claims["sub"]), _roles(claims))

    def _client(self) -> PyJWKClient:
        """Made when it is first needed, so that a pod starts while Entra ID is away."""
        with self._lock:
            if self._keys is None:
                self._keys = PyJWKClient(
                    self._keys_address(),
                    lifespan=_KEYS_SECONDS,
                    timeout=_FETCH_SECONDS,
                    cooldown_duration=LOOK_AGAIN_SECONDS,
                )
            return self._keys

    def _keys_address(self) -> str:
        try:
            answer = httpx.get(f"{self._issuer}/.well-known/openid-configuration", timeout=_FETCH_SECONDS)
            answer.raise_for_status()
            document = answer.json()
            issuer, address = document["issuer"], document["jwks_uri"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise KeysError(f"the issuer's metadata cannot be fetched: {error!r}") from error
        if issuer != self._issuer:
            raise KeysError(f"the metadata of {self._issuer} are those of {issuer}")
        return str(address)


def _roles(claims: dict[str, Any]) -> frozenset[str]:
    roles = claims.get("roles")
    return frozenset(map(str, roles)) if isinstance(roles, list) else frozenset()
