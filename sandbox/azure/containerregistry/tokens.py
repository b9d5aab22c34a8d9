"""The registry's own tokens: refresh tokens, exchanged for Entra's, and access tokens, which carry grants.

They are JWTs signed with a key that only this sandbox can compute, one per registry; Azure's registry is its
own issuer too. Lifetimes are Azure's: three hours and 75 minutes.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from sandbox.azure.containerregistry.grants import Grant
from sandbox.azure.sealing import seal
from sandbox.config import TENANT_ID, Config

_ISSUER = "Azure Container Registry"
_REFRESH_SECONDS = 3 * 3600
_ACCESS_SECONDS = 75 * 60


class InvalidTokenError(Exception):
    """The token is not one of this registry's, or has expired; the text says which."""


@dataclass(frozen=True)
class RegistryTokens:
    """Issues and reads the tokens of the registry behind one login server."""

    config: Config
    login_server: str

    def _key(self) -> bytes:
        return seal(self.config.state).derive(f"containerregistry/{self.login_server}/tokens")

    def _issue(self, subject: str, grant_type: str, seconds: int, claims: dict[str, Any]) -> str:
        now = int(time.time())
        content = {
            "jti": str(uuid.uuid4()),
            "sub": subject,
            "iss": _ISSUER,
            "aud": self.login_server,
            "iat": now,
            "nbf": now - 60,
            "exp": now + seconds,
            "version": "1.0",
            "tenant": TENANT_ID,
            "grant_type": grant_type,
            **claims,
        }
        return jwt.encode(content, self._key(), algorithm="HS256")

    def refresh(self, subject: str) -> str:
        """`subject` is an Entra object id."""
        return self._issue(subject, "refresh_token", _REFRESH_SECONDS, {})

    def access(self, subject: str, grants: Sequence[Grant]) -> str:
        claims = {"access": [grant.claim() for grant in grants], "roles": []}
        return self._issue(subject, "access_token", _ACCESS_SECONDS, claims)

    def _read(self, token: str, grant_type: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key(), algorithms=["HS256"], audience=self.login_server, issuer=_ISSUER
            )
        except jwt.InvalidTokenError as error:
            raise InvalidTokenError(str(error)) from error
        if claims.get("grant_type") != grant_type:
            raise InvalidTokenError(f"it is not a token of type {grant_type}")
        return claims

    def subject(self, refresh_token: str) -> str:
        """The Entra object id a refresh token was issued to. Raises InvalidTokenError."""
        return str(self._read(refresh_token, "refresh_token")["sub"])

    def grants(self, access_token: str) -> list[Grant]:
        """What an access token permits. Raises InvalidTokenError."""
        access = self._read(access_token, "access_token").get("access", [])
        return [Grant(item["type"], item["name"], frozenset(item["actions"])) for item in access]
