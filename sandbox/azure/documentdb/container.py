"""A container as the data plane needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.arm.resource import Resource


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
        definition = resource.properties["resource"]
        key = definition["partitionKey"]
        return cls(
            rid=definition["_rid"],
            link=f"dbs/{resource.id.names[-2]}/colls/{resource.id.name}",
            path=definition["_self"],
            paths=tuple(key["paths"]),
            kind=key["kind"],
            version=int(key.get("version") or 1),
            ttl=definition.get("defaultTtl"),
            unique_keys=tuple(tuple(one["paths"]) for one in definition["uniqueKeyPolicy"]["uniqueKeys"]),
            definition=definition,
        )
