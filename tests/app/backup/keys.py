"""A wrapping key without a vault."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.backup.format import CorruptError

_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


@cache
def _private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class LocalKey:
    """RSA-OAEP-256, as `VaultKey` has it done."""

    kid = "https://kv.azure.test/keys/copies/1"

    async def wrap(self, key: bytes) -> tuple[str, bytes]:
        return self.kid, _private().public_key().encrypt(key, _OAEP)

    async def unwrap(self, kid: str, wrapped: bytes) -> bytes:
        if kid != self.kid:
            raise CorruptError(f"{kid} is unknown")
        try:
            return _private().decrypt(wrapped, _OAEP)
        except ValueError as error:
            raise CorruptError(f"{kid} did not wrap this data key") from error
