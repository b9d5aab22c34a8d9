"""The ledger: each scope's account of a day is a document, all of a day's in one partition.

So that an agent's account and the total change in one transaction, under the ETags with which they were read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from app.store.account import Account, Reservation
from app.store.documents import Create, Document, Documents, Operation, Replace
from app.store.errors import ConflictError, StaleError


@dataclass
class Sheet:
    """Some scopes' accounts of a day, as they were read; `etags` are None for documents not there yet."""

    day: date
    accounts: dict[str, Account]
    etags: dict[str, str | None]


class Ledger:
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def load(self, day: date, scopes: tuple[str, ...]) -> Sheet:
        """Raises StoreError."""
        sheet = Sheet(day, {}, {})
        for scope in scopes:
            document = await self._documents.read(day.isoformat(), scope)
            sheet.accounts[scope] = _account(document or {})
            sheet.etags[scope] = document["_etag"] if document else None
        return sheet

    async def save(self, sheet: Sheet) -> None:
        """All accounts or none; the sheet then has their new ETags.

        Raises StaleError when somebody else has written one since, and StoreError, after which nobody knows
        whether it was saved.
        """
        operations: list[Operation] = []
        for scope, account in sheet.accounts.items():
            document, etag = _document(sheet.day, scope, account), sheet.etags[scope]
            operations.append(Replace(document, etag) if etag else Create(document))
        try:
            etags = await self._documents.batch(sheet.day.isoformat(), operations)
        except ConflictError as error:
            raise StaleError("the day's account was opened meanwhile", error.status) from error
        sheet.etags = dict(zip(sheet.accounts, etags, strict=True))


def _account(document: Document) -> Account:
    reservations: dict[str, Any] = document.get("reservations", {})
    return Account(
        committed=document.get("committed", 0),
        reservations={name: Reservation(**one) for name, one in reservations.items()},
        writers=dict(document.get("writers", {})),
    )


def _document(day: date, scope: str, account: Account) -> Document:
    return {
        "id": scope,
        "day": day.isoformat(),
        "agent": scope,
        "committed": account.committed,
        "reservations": {
            name: {"tokens": one.tokens, "expires": one.expires} for name, one in account.reservations.items()
        },
        "writers": account.writers,
    }
