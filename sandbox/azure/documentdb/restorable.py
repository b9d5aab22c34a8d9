"""Accounts that can be restored: those with continuous backup, alive or deleted within their window.

https://learn.microsoft.com/azure/cosmos-db/continuous-backup-restore-introduction

The window reaches from the account's creation, or as far back as its tier keeps backups, to its deletion or
to now. Everything here reads files: call it in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.arm.regions import normalise
from sandbox.arm.resource import Resource
from sandbox.azure.documentdb import naming
from sandbox.azure.documentdb.account_body import backup_window, continuous
from sandbox.azure.documentdb.databases import databases
from sandbox.azure.documentdb.history import Event, History
from sandbox.azure.documentdb.journal_file import microseconds
from sandbox.azure.documentdb.presence import Presence, presences
from sandbox.services import Services


@dataclass(frozen=True)
class Restorable:
    """Times in microseconds since the epoch; `deleted` is None for an account that is alive. By `behind`
    seconds its backups are behind what is written."""

    account: Resource
    oldest: int
    deleted: int | None
    events: tuple[Event, ...]
    presences: tuple[Presence, ...]
    behind: float

    @property
    def instance(self) -> str:
        return str(self.account.properties["instanceId"])

    @property
    def created(self) -> int:
        return microseconds(self.account.created_at)

    @property
    def latest(self) -> int:
        """The end of the window: what is alive is as old there as its backups (`sandbox fault backups`)."""
        return self.deleted if self.deleted is not None else microseconds(time.time() - self.behind)

    @property
    def region(self) -> str:
        return normalise(self.account.location or "")

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.account.id.subscription}/providers/{naming.RESTORABLE.partition('/')[0]}"
            f"/locations/{self.region}/restorableDatabaseAccounts/{self.instance}"
        )

    def present(self, region: str, at: int) -> bool:
        """Whether the account was in a region then."""
        return any(stay.region == normalise(region) and stay.covers(at) for stay in self.presences)


def _restorable(services: Services, account: Resource, deleted: float | None) -> Restorable | None:
    if not continuous(account.properties):
        return None
    try:
        with History(databases(services.config).file(account)) as history:
            began, events = history.began(), history.events()
    except FileNotFoundError:
        return None
    if began is None:
        # It is being made, or was never done.
        return None
    kept = microseconds(time.time() - backup_window(account.properties))
    end = microseconds(deleted) if deleted is not None else None
    stays = presences(events, microseconds(account.created_at), end)
    behind = services.delays.backups("cosmos", account.id.name)
    return Restorable(account, max(began, kept), end, events, stays, behind)


def restorables(services: Services, subscription: str) -> Iterator[Restorable]:
    """All of a subscription, those alive first."""
    alive = [(account, None) for account in services.store.list(type=naming.ACCOUNT)]
    gone = [(account, account.changed_at) for account in services.store.deleted(naming.ACCOUNT)]
    for account, deleted in (*alive, *gone):
        if (account.id.subscription or "").lower() == subscription.lower():
            found = _restorable(services, account, deleted)
            if found is not None:
                yield found


def find(services: Services, subscription: str, instance: str) -> Restorable | None:
    """The one with that instance id."""
    matching = (one for one in restorables(services, subscription) if one.instance == instance.lower())
    return next(matching, None)


def forget_others(services: Services) -> None:
    """Remove the files of accounts that are gone and can no longer be restored."""
    store = services.store
    kept = [*store.list(type=naming.ACCOUNT), *store.deleted(naming.ACCOUNT)]
    databases(services.config).keep_only({str(account.properties["instanceId"]) for account in kept})
