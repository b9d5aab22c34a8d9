"""Access tokens: issued in Entra's v1 form, verified against the own key. Implements `services.Tokens`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import jwt

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Principal
from sandbox.entra.keys import SigningKey
from sandbox.entra.principals import Directory

#: A token's life in seconds, as Entra's default.
LIFETIME = 3600
#: Verified tokens remembered, so that a busy client's token is not verified at each of its requests.
_REMEMBERED = 512


class EntraTokens:
    """`issuer` is the v1 issuer, `https://sts.SUFFIX/TENANT/`."""

    def __init__(self, key: SigningKey, directory: Directory, *, issuer: str, tenant_id: str) -> None:
        self._key = key
        self._directory = directory
        self._issuer = issuer
        self._tenant_id = tenant_id
        self._verified: dict[str, dict[str, Any]] = {}

    def issue(self, object_id: str, audience: str, *, claims: Mapping[str, Any] | None = None) -> str:
        """Raises LookupError when there is no such principal."""
        principal = self._directory.get(object_id)
        if principal is None:
            raise LookupError(f"no principal has the object id {object_id}")
        now = int(time.time())
        content: dict[str, Any] = {
            "aud": audience,
            "iss": self._issuer,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "aio": "",
            "appid": principal.client_id,
            "appidacr": "2" if principal.resource_id else "1",
            "idp": self._issuer,
            "idtyp": "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": self._tenant_id,
            "uti": uuid.uuid4().hex[:22],
            "ver": "1.0",
        }
        if principal.resource_id is not None:
            content["xms_mirid"] = principal.resource_id
        return self._key.sign({**content, **(claims or {})})

    def verify(self, token: str, audiences: Sequence[str]) -> Principal:
        claims = self._claims(token)
        audience = str(claims["aud"])
        if audience.rstrip("/").lower() not in {allowed.rstrip("/").lower() for allowed in audiences}:
            raise ArmError(
                401,
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource '{audience}'. It "
                "should exactly "
                f"match with one of the allowed audiences '{', '.join(audiences)}'.",
            )
        return Principal(
            object_id=str(claims.get("oid", "")),
            client_id=str(claims.get("appid", "")),
            tenant_id=str(claims.get("tid", "")),
            audience=audience,
            claims=claims,
        )

    def _claims(self, token: str) -> dict[str, Any]:
        known = self._verified.get(token)
        if known is not None and known["exp"] > time.time():
            return known
        try:
            claims = self._key.claims(token)
        except jwt.ExpiredSignatureError as error:
            raise _expired(token) from error
        except jwt.InvalidTokenError as error:
            raise ArmError(
                401, "InvalidAuthenticationToken", f"The access token is invalid: {error}."
            ) from error
        if claims["iss"] != self._issuer:
            raise ArmError(
                401,
                "InvalidAuthenticationTokenTenant",
                f"The access token is from the wrong issuer '{claims['iss']}'. It must match "
                f"'{self._issuer}'.",
            )
        while len(self._verified) >= _REMEMBERED:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = claims
        return claims


def _expired(token: str) -> ArmError:
    options: Any = {"verify_signature": False}
    expiry = datetime.fromtimestamp(jwt.decode(token, options=options)["exp"], UTC)
    return ArmError(
        401,
        "ExpiredAuthenticationToken",
        f"The access token expiry UTC time '{expiry:%m/%d/%Y %I:%M:%S %p}' is earlier than current UTC time "
        f"'{datetime.now(UTC):%m/%d/%Y %I:%M:%S %p}'.",
    )
