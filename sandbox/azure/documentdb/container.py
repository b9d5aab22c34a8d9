"""A container as the data plane needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.arm.resource import Resource
from sandbox.azure.documentdb import partition


@dataclass(frozen=True)
class Container:
    """`link` is `dbs/X/colls/Y`; `path` is its `_self`. TTL: seconds, None is off, -1 none by default."""

    rid: str
    link: str
    path: str
    paths: tuple[str, ...]
    kind: str
    version: int
    ttl: int | None
    unique_keys: tuple[tuple[str, ...], ...]
    definition: dict[str, Any]

    def __hash__(self) -> int:
        return hash(self.rid)

    @classmethod
    def of(cls, resource: Resource) -> Container:
        link = f"dbs/{resource.id.names[-2]}/colls/{resource.id.name}"
        return cls.defined(link, resource.properties["resource"])

    @classmethod
    def defined(cls, link: str, definition: dict[str, Any]) -> Container:
        """From what the control plane, or a journal, says of it."""
        key = definition["partitionKey"]
        return cls(
            rid=definition["_rid"],
            link=link,
            path=definition["_self"],
            paths=tuple(key["paths"]),
            kind=key["kind"],
            version=int(key.get("version") or 1),
            ttl=definition.get("defaultTtl"),
            unique_keys=tuple(tuple(one["paths"]) for one in definition["uniqueKeyPolicy"]["uniqueKeys"]),
            definition=definition,
        )

    @property
    def database(self) -> str:
        """The rid of the database it lies in."""
        return self.path.split("/")[1]

    def ends(self, document: dict[str, Any]) -> int | None:
        """When a document ends, in seconds since the epoch; None for never."""
        if self.ttl is None:
            return None
        ttl = document.get("ttl", self.ttl)
        return None if ttl == -1 else int(document["_ts"]) + int(ttl)

    def unique_values(self, document: dict[str, Any]) -> list[str]:
        """What each unique key policy makes of a document."""
        return [
            partition.text([partition.value_at(document, path) for path in paths])
            for paths in self.unique_keys
        ]
