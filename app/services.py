"""The services that a process uses: those that its settings name, as one identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from azure.core.credentials_async import AsyncTokenCredential

from app.credentials import blocking_credential
from app.dependency import Dependency
from app.events.queue import Queue
from app.events.topic import Topic
from app.settings import Settings
from app.store.database import Database, make_engine
from app.store.documents import Cosmos
from app.store.records import Records
from app.vault import Vault


@dataclass(frozen=True)
class Services:
    """What is None is not used. The health report covers `dependencies`, and who serves closes them."""

    cosmos: Cosmos
    records: Records | None
    queue: Queue | None
    topic: Topic | None
    dependencies: list[Dependency]

    @classmethod
    def of(cls, settings: Settings, identity: AsyncTokenCredential) -> Self:
        engine = make_engine(settings.sql, blocking_credential()) if settings.sql else None
        database = Database(engine) if engine else None
        vault = Vault(settings.vault, identity) if settings.vault else None
        queue = Queue(settings.storage, identity) if settings.storage else None
        topic = Topic(settings.events, identity) if settings.events else None
        return cls(
            cosmos=Cosmos(settings.cosmos, identity),
            records=Records(engine) if engine else None,
            queue=queue,
            topic=topic,
            dependencies=[found for found in (database, vault, queue, topic) if found is not None],
        )
