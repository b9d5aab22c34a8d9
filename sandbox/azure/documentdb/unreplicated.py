"""What a region that is lost had not sent to the next one, and so is lost by a forced failover.

The journal is that of the region where an account is written. The next region is behind it by the delay that
is injected (`sandbox fault replication --service cosmos`), and has all that there was when it joined. Strong
consistency acknowledges nothing that the other has not, and bounded staleness bounds the delay. An account
that is written everywhere has no such failover.

Azure keeps what had not arrived in the region that was lost, and offers it in the conflict feed when that
region is back. Here it is set aside in the journal's file, out of reach of clients: it is in no answer any
more, and in nothing that is restored.

Sources: https://learn.microsoft.com/azure/reliability/reliability-cosmos-db-nosql and
https://learn.microsoft.com/azure/cosmos-db/consistency-levels#rto.
"""

from __future__ import annotations

import logging
from pathlib import Path

from sandbox.arm.resource import Resource
from sandbox.azure.documentdb.databases import databases
from sandbox.azure.documentdb.history import History
from sandbox.azure.documentdb.journal import Journal
from sandbox.azure.documentdb.journal_file import FAILOVER, microseconds
from sandbox.azure.documentdb.presence import presences
from sandbox.azure.documentdb.snapshot import as_of
from sandbox.services import Services

log = logging.getLogger(__name__)


async def lose(services: Services, account: Resource, lost: str, successor: str) -> None:
    """Have an account's data be what the region `successor` has of them, the region `lost` being down.

    Repeatable; nobody writes meanwhile (`failover.require_present`).
    """
    behind, since = delay(services, account), services.regions.since(lost)
    if not behind or since is None:
        return
    file, created = databases(services.config).file(account), microseconds(account.created_at)
    after = microseconds(since - behind)
    count = (
        await databases(services.config)
        .of(account)
        .run(lambda journal: undo(journal, file, max(after, _joined(file, successor, created))))
    )
    log.warning("%s: %d documents lose their last writes with %s", account.id.name, count, lost)


def delay(services: Services, account: Resource) -> float:
    """Seconds by which the other regions are behind the one that is written."""
    policy = account.properties["consistencyPolicy"]
    behind = services.delays.replication("cosmos", account.id.name)
    if policy["defaultConsistencyLevel"] == "Strong":
        return 0.0
    if policy["defaultConsistencyLevel"] == "BoundedStaleness":
        return min(behind, float(policy["maxIntervalInSeconds"]))
    return behind


def undo(journal: Journal, file: Path, after: int) -> int:
    """Take back every write of a document after a moment (microseconds): all of them or, when killed, none.

    Returns how many documents they wrote. Each is written once more as it was then, so that numbers of writes
    do not come twice and whoever follows them hears of it. Databases and containers stay as they are.
    """
    with History(file) as history:
        there = as_of(history.events())
    containers = {one.container.rid: one.container for database in there for one in database.containers}
    with journal.transaction():
        written = journal.set_aside(after)
        # A container that was dropped took its documents with it.
        present = [(containers[rid], key, id_) for rid, key, id_ in written if rid in containers]
        # First all go: a value that is unique may have moved from one document to another.
        for container, key, id_ in present:
            journal.forget(container, key, id_)
        for container, key, id_ in present:
            document = journal.newest(container, key, id_)
            if document is None:
                journal.delete(container, FAILOVER, key, id_)
            else:
                journal.put(container, FAILOVER, key, document)
    return len(written)


def _joined(file: Path, region: str, created: int) -> int:
    """When a region was added to the account: it had everything then."""
    with History(file) as history:
        stays = presences(history.events(), created, None)
    return max((stay.start for stay in stays if stay.region == region and stay.end is None), default=created)
