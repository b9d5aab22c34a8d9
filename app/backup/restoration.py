"""Copies of a vault's secrets, brought into another vault: of each secret the newest version, once.

What becomes of a secret, in this order:

- it is one of `kept`, which somebody else sets there: left alone, its copy is not even opened;
- its newest copy is no good: said, and left as it is there. An older version is no substitute: whatever it
  opens was changed for a reason;
- the vault has it with that value: nothing is written, so that a second run changes nothing;
- the vault's version was made after the copied one, or is disabled, or the secret was deleted there: somebody
  decided so later, and it is left alone;
- else it is written, with its attributes, in one request.

So whoever does this may be killed at any moment and run again. A secret that the source no longer had when it
was lost comes back too: copies do not say that their original was deleted.
"""

from __future__ import annotations

import hmac
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import KeyVaultSecret
from azure.keyvault.secrets.aio import SecretClient

from app.backup.container import Listed, Written
from app.backup.format import CorruptError, Name, Secret, WrappingKey, unseal
from app.dependency import from_azure

log = logging.getLogger(__name__)
_FORBIDDEN, _CONFLICT = 403, 409


class Outcome(StrEnum):
    """What became of a secret, as it is logged."""

    WRITTEN = "restored"
    EQUAL = "there already"
    KEPT = "left alone: the stack sets it"
    NEWER = "left alone: the vault has a later version"
    DISABLED = "left alone: it is disabled in the vault"
    DELETED = "left alone: it was deleted in the vault; recover or purge it there, and run this again"
    FAILED = "not restored"


@dataclass(frozen=True)
class Restoration:
    """`vault` is the name of the vault that was copied, `target` the one to fill."""

    vault: str
    copies: Written
    key: WrappingKey
    target: SecretClient
    kept: Collection[str] = ()

    async def run(self) -> dict[str, Outcome]:
        """What became of each copied secret. What fails keeps no other from being restored.

        Raises AzureError when the copies cannot be listed.
        """
        found: dict[str, list[Listed]] = defaultdict(list)
        outcomes: dict[str, Outcome] = {}
        for blob in sorted(await self.copies.listed(f"{self.vault}/"), key=lambda blob: blob.name):
            try:
                found[Name.parse(blob.name).secret].append(blob)
            except CorruptError as error:
                log.error("%s: %s", Outcome.FAILED, error)  # noqa: TRY400 - the message says it all
                outcomes[blob.name] = Outcome.FAILED
        for secret, versions in found.items():
            outcomes[secret] = await self._tried(secret, versions)
        return outcomes

    async def _tried(self, secret: str, versions: Iterable[Listed]) -> Outcome:
        try:
            outcome = await self._brought(secret, versions)
        except (AzureError, CorruptError) as error:
            why = from_azure(error) if isinstance(error, AzureError) else error
            log.error("%s: %s: %s", secret, Outcome.FAILED, why)  # noqa: TRY400 - likewise
            return Outcome.FAILED
        log.info("%s: %s", secret, outcome)
        return outcome

    async def _brought(self, secret: str, versions: Iterable[Listed]) -> Outcome:
        if secret in self.kept:
            return Outcome.KEPT
        copy = await self._newest(versions)
        try:
            there = await self.target.get_secret(secret)
        except ResourceNotFoundError:
            return await self._write(copy)
        except HttpResponseError as error:
            if error.status_code == _FORBIDDEN and "disabled" in str(error.message):
                return Outcome.DISABLED
            raise
        if hmac.compare_digest((there.value or "").encode(), copy.value.encode()):
            return Outcome.EQUAL
        return Outcome.NEWER if _made(there) > copy.created else await self._write(copy)

    async def _newest(self, versions: Iterable[Listed]) -> Secret:
        """Raises CorruptError, also where it cannot be told which of them is the newest."""
        ordered = sorted((_created(blob), blob.modified, blob.name) for blob in versions)
        created, modified, name = ordered[-1]
        if len(ordered) > 1 and ordered[-2][:2] == (created, modified):
            raise CorruptError(
                f"{name}: another version was made and copied in the same seconds, and which of them is the "
                "newer cannot be told: set the secret by hand"
            )
        copy = await unseal(await self.copies.read(name), Name.parse(name), self.key)
        # Metadata is not sealed with the value: whoever may write it could make an old version the newest.
        if copy.created != created:
            raise CorruptError(f"{name}: made at {copy.created}, and its metadata says {created}")
        return copy

    async def _write(self, copy: Secret) -> Outcome:
        try:
            await self.target.set_secret(
                copy.name.secret,
                copy.value,
                enabled=copy.enabled,
                tags=dict(copy.tags),
                content_type=copy.content_type,
                not_before=_moment(copy.not_before),
                expires_on=_moment(copy.expires),
            )
        except HttpResponseError as error:
            if error.status_code == _CONFLICT and "deleted" in str(error.message):
                return Outcome.DELETED
            raise
        return Outcome.WRITTEN


def _created(blob: Listed) -> int:
    try:
        return int(blob.metadata["created"])
    except (KeyError, ValueError) as error:
        raise CorruptError(f"{blob.name}: its metadata does not say when it was made") from error


def _made(secret: KeyVaultSecret) -> float:
    made = secret.properties.created_on
    return made.timestamp() if made else 0.0


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
