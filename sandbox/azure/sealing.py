"""Encryption at rest with one random key per sandbox, kept in a file only its owner may read."""

from __future__ import annotations

import hashlib
import hmac
import os
import tempfile
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class TamperedError(Exception):
    """What was to be opened is not what was sealed, or not under this key and context."""


class Seal:
    """AES-256-GCM. The context is authenticated with the text: what was sealed for one place opens nowhere
    else."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)

    def close(self, text: bytes, context: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise TamperedError(context) from error

    def derive(self, context: str) -> bytes:
        """64 bytes that only this sandbox can compute: account keys."""
        return hmac.digest(self._key, context.encode(), hashlib.sha512)


@cache
def seal(state: Path) -> Seal:
    """The seal of the sandbox whose state lies there; its key is made at first use."""
    path = state / "keys" / "seal.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(AESGCM.generate_key(256))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, unlike a rename, never replaces a key that another process made first.
            os.link(file.name, path)
        except FileExistsError:
            pass
        finally:
            Path(file.name).unlink()
    return Seal(path.read_bytes())
