"""What was done to an account's databases and containers, oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.azure.documentdb.history import Event
from sandbox.azure.documentdb.journal_file import DEFINE, DEFINE_DATABASE, DROP, DROP_DATABASE


@dataclass(frozen=True)
class Change:
    """`operation` is Create, Replace or Delete; `resource` is what was changed as it was then, and before its
    deletion."""

    event: Event
    operation: str
    resource: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.resource["id"])

    @property
    def database(self) -> str:
        """The rid of the database that a container lies in, or that this is one of."""
        return str(self.resource["_self"].split("/")[1])


def of_databases(events: Iterable[Event]) -> Iterator[Change]:
    return _changes(events, DEFINE_DATABASE, DROP_DATABASE)


def of_containers(events: Iterable[Event]) -> Iterator[Change]:
    return _changes(events, DEFINE, DROP)


def _changes(events: Iterable[Event], define: str, drop: str) -> Iterator[Change]:
    known: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.operation == define:
            operation = "Replace" if event.subject in known else "Create"
            # A container comes with its link, a database alone.
            known[event.subject] = event.value["resource"] if define == DEFINE else event.value
            yield Change(event, operation, known[event.subject])
        elif event.operation == drop and event.subject in known:
            yield Change(event, "Delete", known.pop(event.subject))
