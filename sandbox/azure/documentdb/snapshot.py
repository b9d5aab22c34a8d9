"""Which databases and containers an account had as of a moment, with their settings then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.history import Event
from sandbox.azure.documentdb.journal_file import (
    DEFINE,
    DEFINE_DATABASE,
    DROP,
    DROP_DATABASE,
    THROUGHPUT,
)


@dataclass(frozen=True)
class ContainerAt:
    """`throughput` is None where the container had none of its own."""

    container: Container
    throughput: dict[str, Any] | None

    @property
    def name(self) -> str:
        return self.container.link.rpartition("/")[2]


@dataclass(frozen=True)
class DatabaseAt:
    """`resource` is what the control plane said of the database."""

    resource: dict[str, Any]
    throughput: dict[str, Any] | None
    containers: tuple[ContainerAt, ...]

    @property
    def name(self) -> str:
        return str(self.resource["id"])


def as_of(events: Iterable[Event], at: int | None = None) -> tuple[DatabaseAt, ...]:
    """What there was at a moment (microseconds since the epoch; None for after all events)."""
    databases: dict[str, dict[str, Any]] = {}
    containers: dict[str, Container] = {}
    throughput: dict[str, dict[str, Any] | None] = {}
    for event in events:
        if at is not None and event.time > at:
            break
        if event.operation == DEFINE_DATABASE:
            # One name, one database: what the account lost without a drop is replaced.
            databases = {rid: one for rid, one in databases.items() if one["id"] != event.value["id"]}
            databases[event.subject] = event.value
        elif event.operation == DROP_DATABASE:
            databases.pop(event.subject, None)
        elif event.operation == DEFINE:
            containers[event.subject] = Container.defined(event.value["link"], event.value["resource"])
        elif event.operation == DROP:
            containers.pop(event.subject, None)
        elif event.operation == THROUGHPUT:
            throughput[event.subject] = event.value
    return tuple(
        DatabaseAt(
            resource,
            throughput.get(rid),
            tuple(
                ContainerAt(container, throughput.get(container.rid))
                for container in containers.values()
                if container.database == rid
            ),
        )
        for rid, resource in databases.items()
    )
