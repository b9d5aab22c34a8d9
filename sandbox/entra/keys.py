"""The key that signs access tokens: made once, kept with the control plane's data."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.arm.database import Database

_BITS = 2048
ALGORITHM = "RS256"


def generate() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=_BITS)


class SigningKey:
    def __init__(self, database: Database) -> None:
        rows = database.query("SELECT kid, pem FROM signing_keys ORDER BY created_at DESC LIMIT 1")
        if rows:
            self.kid = str(rows[0]["kid"])
            private = serialization.load_pem_private_key(rows[0]["pem"].encode(), password=None)
        else:
            private = generate()
            self.kid = _fingerprint(private)
            database.execute(
                "INSERT INTO signing_keys (kid, pem, created_at) VALUES (?, ?, ?)",
                (self.kid, _pem(private), time.time()),
            )
        if not isinstance(private, rsa.RSAPrivateKey):
            raise TypeError("the signing key is no RSA key; `sandbox reset` makes a new one")
        self._private = private
        self._public = private.public_key()

    def sign(self, claims: dict[str, Any]) -> str:
        headers = {"kid": self.kid, "x5t": self.kid}
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers=headers)

    def claims(self, token: str) -> dict[str, Any]:
        """Verified signature and times. Raises jwt's errors."""
        options: Any = {"verify_aud": False, "require": ["exp", "iss", "aud"]}
        claims: dict[str, Any] = jwt.decode(token, self._public, algorithms=[ALGORITHM], options=options)
        return claims

    def jwks(self, issuer: str) -> dict[str, Any]:
        """The public key as a JSON Web Key Set."""
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._public, as_dict=True)
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "kid": self.kid,
                    "x5t": self.kid,
                    "n": key["n"],
                    "e": key["e"],
                    "issuer": issuer,
                }
            ]
        }


def _fingerprint(private: rsa.RSAPrivateKey) -> str:
    encoded = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(encoded).hexdigest()[:27]


def _pem(private: rsa.RSAPrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
