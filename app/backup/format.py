"""How a copied secret is kept: one blob for each version, a JWE in compact serialization (RFC 7516).

Container `secrets`, blob `<vault>/<secret>/<version>`, never rewritten. Its metadata `created` is when the
version was made, in seconds since the epoch; the newest version of a secret is the one with the greatest
`created`, and among equals the blob that was written last (`Last-Modified`).

    BASE64URL(header) . BASE64URL(wrapped key) . BASE64URL(nonce) . BASE64URL(ciphertext) . BASE64URL(tag)

- header: JSON with `alg` "RSA-OAEP-256", `enc` "A256GCM", `kid` (the whole identifier of the Key Vault key
  that wrapped the data key, its version included), and `vault`, `secret` and `version`, which must be those
  of the blob's name: a copy that lies in another's place is not taken for it.
- wrapped key: the 32 bytes of a data key of this copy alone; `unwrapKey` of `kid` gives them back.
- nonce: 12 bytes; tag: 16 bytes. The first part, as it stands, is authenticated with the ciphertext.
- plain text: JSON with `value`, `contentType` (or null), `tags`, `enabled`, `notBefore` and `expires`
  (seconds since the epoch, or null) and `created` (seconds since the epoch).

A copied dead letter is the blob itself: container `dead-letters`, the same name, the same bytes.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_ALGORITHMS = {"alg": "RSA-OAEP-256", "enc": "A256GCM"}
_PARTS, _NONCE_BYTES, _TAG_BYTES = 5, 12, 16


class CorruptError(Exception):
    """A copy is not what was written: damaged, changed, in another's place, or of a format unknown here."""


class WrappingKey(Protocol):
    """The key that data keys are wrapped with; see `VaultKey`."""

    async def wrap(self, key: bytes) -> tuple[str, bytes]:
        """The identifier of the key (with its version) and the wrapped data key."""

    async def unwrap(self, kid: str, wrapped: bytes) -> bytes:
        """Raises CorruptError for what this key did not wrap."""


@dataclass(frozen=True, order=True)
class Name:
    """Which version of which secret; as text the blob's name."""

    vault: str
    secret: str
    version: str

    def __str__(self) -> str:
        return f"{self.vault}/{self.secret}/{self.version}"

    @classmethod
    def parse(cls, blob: str) -> Name:
        """Raises CorruptError for a blob that is no copy of a secret."""
        parts = blob.split("/")
        if len(parts) != len(cls.__dataclass_fields__) or not all(parts):
            raise CorruptError(f"{blob} is not named <vault>/<secret>/<version>")
        return cls(*parts)


@dataclass(frozen=True)
class Secret:
    """One version of a secret, all of it that a vault takes back. Times are seconds since the epoch."""

    name: Name
    value: str = field(repr=False)
    created: int
    enabled: bool = True
    content_type: str | None = None
    not_before: int | None = None
    expires: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


async def seal(secret: Secret, key: WrappingKey) -> bytes:
    """The blob's content. A data key is used once, so nonces cannot meet."""
    data_key, nonce = AESGCM.generate_key(256), os.urandom(_NONCE_BYTES)
    kid, wrapped = await key.wrap(data_key)
    name = secret.name
    header = {
        **_ALGORITHMS,
        "kid": kid,
        "vault": name.vault,
        "secret": name.secret,
        "version": name.version,
    }
    protected = _encode(json.dumps(header).encode())
    sealed = AESGCM(data_key).encrypt(nonce, json.dumps(_payload(secret)).encode(), protected)
    return b".".join(
        (
            protected,
            _encode(wrapped),
            _encode(nonce),
            _encode(sealed[:-_TAG_BYTES]),
            _encode(sealed[-_TAG_BYTES:]),
        )
    )


async def unseal(blob: bytes, expected: Name, key: WrappingKey) -> Secret:
    """The secret that `seal` was given. Raises CorruptError for anything else, with what is wrong."""
    protected, *rest = _split(blob, expected)
    header = _object(_decode(protected, expected), expected)
    for member, algorithm in _ALGORITHMS.items():
        if header.get(member) != algorithm:
            raise CorruptError(f"{expected}: {member} is {header.get(member)!r}, not {algorithm}")
    named = tuple(header.get(member) for member in ("vault", "secret", "version"))
    if named != (expected.vault, expected.secret, expected.version):
        raise CorruptError(f"{expected}: this is a copy of {'/'.join(map(str, named))}")
    wrapped, nonce, text, tag = (_decode(part, expected) for part in rest)
    data_key = await key.unwrap(str(header.get("kid")), wrapped)
    try:
        plain = AESGCM(data_key).decrypt(nonce, text + tag, protected)
    except (InvalidTag, ValueError) as error:
        raise CorruptError(f"{expected}: what is in it was changed") from error
    return _secret(_object(plain, expected), expected)


def _payload(secret: Secret) -> dict[str, Any]:
    return {
        "value": secret.value,
        "contentType": secret.content_type,
        "tags": dict(secret.tags),
        "enabled": secret.enabled,
        "notBefore": secret.not_before,
        "expires": secret.expires,
        "created": secret.created,
    }


def _secret(payload: Mapping[str, Any], name: Name) -> Secret:
    try:
        return Secret(
            name=name,
            value=payload["value"],
            created=payload["created"],
            enabled=payload["enabled"],
            content_type=payload["contentType"],
            not_before=payload["notBefore"],
            expires=payload["expires"],
            tags=payload["tags"],
        )
    except KeyError as error:
        raise CorruptError(f"{name}: {error} is missing in what was encrypted") from error


def _split(blob: bytes, name: Name) -> list[bytes]:
    parts = blob.strip().split(b".")
    if len(parts) != _PARTS:
        raise CorruptError(f"{name}: a JWE has {_PARTS} parts, this has {len(parts)}")
    return parts


def _object(text: bytes, name: Name) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CorruptError(f"{name}: no JSON where JSON belongs") from error
    if not isinstance(found, dict):
        raise CorruptError(f"{name}: no JSON object where one belongs")
    return found


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: bytes, name: Name) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise CorruptError(f"{name}: not base64url") from error
