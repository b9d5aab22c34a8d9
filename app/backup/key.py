"""The Key Vault key that wraps data keys. Its private part stays in the vault; unwrapping is asked for."""

from __future__ import annotations

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys.crypto import KeyWrapAlgorithm
from azure.keyvault.keys.crypto.aio import CryptographyClient

from app.backup.format import CorruptError

_ALGORITHM = KeyWrapAlgorithm.rsa_oaep_256
_BAD_REQUEST = 400


class VaultKey:
    """`uri` names the key without a version: what is new is wrapped with the latest one of a start.

    Raises AzureError for a vault that cannot be asked.
    """

    def __init__(self, uri: str, credential: AsyncTokenCredential) -> None:
        self._base = uri.rstrip("/")
        self._credential = credential
        self._clients: dict[str, CryptographyClient] = {}

    async def wrap(self, key: bytes) -> tuple[str, bytes]:
        done = await self._client(self._base).wrap_key(_ALGORITHM, key)
        if done.key_id is None:
            raise CorruptError(f"{self._base} did not say which of its versions wrapped a key")
        return done.key_id, done.encrypted_key

    async def unwrap(self, kid: str, wrapped: bytes) -> bytes:
        # A copy that names another vault must not make this identity show its token there.
        if kid != self._base and not kid.startswith(f"{self._base}/"):
            raise CorruptError(f"{kid} is not a version of {self._base}")
        try:
            done = await self._client(kid).unwrap_key(_ALGORITHM, wrapped)
        except ResourceNotFoundError as error:
            raise CorruptError(f"{kid} is not there (any more)") from error
        except HttpResponseError as error:
            if error.status_code == _BAD_REQUEST:
                raise CorruptError(f"{kid} did not wrap this data key") from error
            raise
        return done.key

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    def _client(self, kid: str) -> CryptographyClient:
        if kid not in self._clients:
            self._clients[kid] = CryptographyClient(kid, self._credential)
        return self._clients[kid]
