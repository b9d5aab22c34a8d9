"""Telling an account's journal what its databases and containers are: a restore brings them back as they
were, and knows nothing of them but that."""

from __future__ import annotations

from sandbox.arm.resource import Resource
from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.databases import databases
from sandbox.azure.documentdb.journal import Journal
from sandbox.azure.documentdb.journal_file import DEFINE_DATABASE, DROP_DATABASE, THROUGHPUT
from sandbox.services import Services


async def record_database(services: Services, account: Resource, database: Resource) -> None:
    """A database is now as stored, throughput included."""
    resource = database.properties["resource"]
    throughput = _throughput(services, database)

    def work(journal: Journal) -> None:
        with journal.transaction():
            journal.record(resource["_rid"], DEFINE_DATABASE, resource)
            journal.record(resource["_rid"], THROUGHPUT, throughput)

    await databases(services.config).of(account).run(work)


async def record_container(services: Services, account: Resource, container: Resource) -> None:
    """A container is now as stored, throughput included."""
    defined = Container.of(container)
    throughput = _throughput(services, container)

    def work(journal: Journal) -> None:
        journal.define(defined)
        with journal.transaction():
            journal.record(defined.rid, THROUGHPUT, throughput)

    await databases(services.config).of(account).run(work)


async def record_throughput(services: Services, account: Resource, owner: Resource) -> None:
    """The throughput of a database or container is now as stored."""
    rid, throughput = owner.properties["resource"]["_rid"], _throughput(services, owner)

    def work(journal: Journal) -> None:
        with journal.transaction():
            journal.record(rid, THROUGHPUT, throughput)

    await databases(services.config).of(account).run(work)


async def record_drop(services: Services, account: Resource, database: Resource) -> None:
    """A database is no more."""
    rid = database.properties["resource"]["_rid"]

    def work(journal: Journal) -> None:
        with journal.transaction():
            journal.record(rid, DROP_DATABASE, None)

    await databases(services.config).of(account).run(work)


def goes_as_a_whole(services: Services, account: Resource) -> bool:
    """Whether the account is being deleted, alone or with its group.

    Then its databases are not dropped one by one: it can be restored to what it was when it went.
    """
    scopes = (account, services.store.get(account.id.scope))
    return any(one is not None and one.properties.get("provisioningState") == "Deleting" for one in scopes)


def _throughput(services: Services, owner: Resource) -> object:
    settings = services.store.get(f"{owner.id}/throughputSettings/default")
    return settings.properties["resource"] if settings is not None else None
