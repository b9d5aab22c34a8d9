"""Copies of dead letters: the blobs as they are, under their own names."""

from __future__ import annotations

import hashlib
import hmac
import logging

from azure.core.exceptions import ResourceNotFoundError

from app.backup.container import Copies
from app.backup.format import CorruptError

log = logging.getLogger(__name__)


class LetterCopies:
    """Letters are never changed. Raises AzureError, and CorruptError for a copy that is no good."""

    name = "dead-letters"

    def __init__(self, source: Copies, copies: Copies) -> None:
        self._source, self._copies = source, copies

    async def copy(self) -> int:
        """Copy what has no copy; how many there were."""
        letters, there, made = await self._source.sizes(), await self._copies.sizes(), 0
        for letter in sorted(letters.keys() - there.keys()):
            try:
                content = await self._source.read(letter)
            except ResourceNotFoundError:
                log.info("dead letter %s was deleted while it was looked at", letter)
                continue
            await self._copies.create(letter, content, {})
            log.info("copied dead letter %s", letter)
            made += 1
        return made

    async def validate(self) -> None:
        """Copies have the size of their letters; of the newest the content is read and compared."""
        letters, there = await self._source.sizes(), await self._copies.sizes()
        for letter, size in letters.items():
            if there.get(letter) not in (None, size):
                raise CorruptError(f"{letter}: its copy has {there[letter]} bytes instead of {size}")
        copied = letters.keys() & there.keys()
        if letters and not copied:
            raise CorruptError("there are dead letters, and no copy of any")
        if copied:
            await self._compare(max(copied, key=_written))

    async def _compare(self, letter: str) -> None:
        try:
            original = await self._source.read(letter)
        except ResourceNotFoundError:
            return
        if not hmac.compare_digest(_digest(original), _digest(await self._copies.read(letter))):
            raise CorruptError(f"{letter}: its copy has another content")


def _written(letter: str) -> str:
    """SUBSCRIPTION/year/month/day/hour/guid.json: the newest is the greatest without its subscription."""
    return letter.partition("/")[2]


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
