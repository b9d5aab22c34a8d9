"""What an account's journal is told whenever the account is made, changed or brought back."""

from __future__ import annotations

import time

from sandbox.arm.resource import Resource
from sandbox.azure.documentdb import account_body, naming
from sandbox.azure.documentdb.journal import Journal
from sandbox.azure.documentdb.journal_file import BEGAN, REGIONS, microseconds


def keep(journal: Journal, account: Resource) -> None:
    """Note where the account is, begin its window, and forget what lies before it.

    The window of an account that changes to continuous backup begins then, and that of a restored account
    when it has been restored. https://learn.microsoft.com/azure/cosmos-db/migrate-continuous-backup
    """
    properties = account.properties
    with journal.transaction():
        restored = properties.get("createMode") == "Restore"
        if account_body.continuous(properties) and not restored and journal.moment(BEGAN) is None:
            untouched = journal.next_lsn() == 1
            journal.mark(BEGAN, microseconds(account.created_at) if untouched else journal.now)
        regions = sorted({naming.region(place) for place in naming.locations(account)})
        journal.record("", REGIONS, regions)
    journal.prune(time.time() - account_body.backup_window(properties))
