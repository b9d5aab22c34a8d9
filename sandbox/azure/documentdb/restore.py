"""Restoring an account: the documents of another as of a moment, and the databases that hold them.

https://learn.microsoft.com/azure/cosmos-db/continuous-backup-restore-introduction#what-is-restored

Two steps, each of which may be repeated after a kill: first all documents come into the account's own
journal, in one transaction; then the control plane gets the databases and containers that the journal knows.
Only then does the account's own window begin. Roles, network rules, private endpoints and other regions are
nobody's data, and stay behind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandbox.arm.ids import child
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.documentdb import naming, throughput
from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.databases import AccountData, databases
from sandbox.azure.documentdb.history import History
from sandbox.azure.documentdb.journal import Journal
from sandbox.azure.documentdb.journal_file import (
    BEGAN,
    DEFINE,
    DEFINE_DATABASE,
    RESTORE,
    RESTORED,
    THROUGHPUT,
)
from sandbox.azure.documentdb.restore_checks import check_moment, source_of, wanted
from sandbox.azure.documentdb.restore_request import RestoreRequest, refusal
from sandbox.azure.documentdb.snapshot import DatabaseAt, as_of
from sandbox.services import Services


async def carry_out(services: Services, account: Resource, data: AccountData) -> None:
    """Do what is left of the restore that an account was made by; nothing for other accounts.

    Raises ArmError when its source can no longer be restored.
    """
    request = RestoreRequest.of({**account.properties, "locations": []})
    if request is None or await data.run(lambda journal: journal.moment(BEGAN)) is not None:
        return
    if await data.run(lambda journal: journal.moment(RESTORED)) is None:
        source = await source_of(services, request)
        check_moment(source, request.at)
        file = databases(services.config).file(source.account)
        await data.run(lambda journal: replay(journal, file, request))
    # Read in a thread, but written here: what a deletion cancels must not go on writing.
    there = await asyncio.to_thread(_present, databases(services.config).file(account))
    _make_children(services, account, there)
    await data.run(_begin)


def replay(journal: Journal, source: Path, request: RestoreRequest) -> None:
    """Bring what another journal held as of a moment into this one: all of it or, when killed, nothing.

    Raises ArmError 400 when the other has been trimmed beyond that moment.
    """
    with History(source) as history, journal.transaction():
        began = history.began()
        if began is None or began > request.at:
            raise refusal(
                "The source has meanwhile forgotten the restore timestamp.", "restoreTimestampInUtc"
            )
        # An id of a document is made of its write's number, so numbers must not come twice.
        journal.skip(history.last())
        for database, names in wanted(as_of(history.events(), request.at), request.databases):
            rid = database.resource["_rid"]
            journal.record(rid, DEFINE_DATABASE, database.resource)
            journal.record(rid, THROUGHPUT, database.throughput)
            for one in database.containers:
                if one.name not in names:
                    continue
                container = _without_ttl(one.container) if request.ttl_disabled else one.container
                definition = {"link": container.link, "resource": container.definition}
                journal.record(container.rid, DEFINE, definition)
                journal.record(container.rid, THROUGHPUT, one.throughput)
                for key, document in history.documents(one.container, request.at):
                    journal.put(container, RESTORE, key, document)
        journal.mark(RESTORED, journal.now)


def _without_ttl(container: Container) -> Container:
    definition = {name: value for name, value in container.definition.items() if name != "defaultTtl"}
    return Container.defined(container.link, definition)


def _present(file: Path) -> tuple[DatabaseAt, ...]:
    with History(file) as history:
        return as_of(history.events())


def _make_children(services: Services, account: Resource, there: Iterable[DatabaseAt]) -> None:
    """Databases, containers and their throughput in the control plane, as the account's journal has them."""
    for database in there:
        id_ = child(str(account.id), naming.DATABASE, database.name)
        _make(services, id_, database.resource, database.throughput)
        for one in database.containers:
            inner = child(str(id_), naming.CONTAINER, one.name)
            _make(services, inner, one.container.definition, one.throughput)


def _make(services: Services, id_: ResourceId, resource: dict[str, Any], offer: Body | None) -> None:
    now = time.time()
    made = Resource(id_, {"properties": {"resource": resource}}, now, now)
    # The settings first: who finds a container at the next start notes what throughput it has.
    if offer is not None:
        throughput.store_settings(services.store, made, offer)
    services.store.save(made)


def _begin(journal: Journal) -> None:
    restored = journal.moment(RESTORED)
    if restored is not None:
        journal.mark(BEGAN, restored)
