"""A cluster's OIDC issuer: the discovery document and the keys that verify its service account tokens."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def discovery(issuer: str) -> dict[str, Any]:
    """`issuer` ends in a slash, as AKS's does."""
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def keys(public_pem: str) -> dict[str, Any]:
    """The JSON Web Key Set of one RSA key, with the key id that the API server writes into tokens: the
    SHA-256 of the key's DER form (kubernetes/pkg/serviceaccount/jwt.go)."""
    key = serialization.load_pem_public_key(public_pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("service account tokens are signed with an RSA key")
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    numbers = key.public_numbers()
    return {
        "keys": [
            {
                "use": "sig",
                "kty": "RSA",
                "kid": _encode(hashlib.sha256(der).digest()),
                "alg": "RS256",
                "n": _encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
                "e": _encode(numbers.e.to_bytes(3)),
            }
        ]
    }


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
