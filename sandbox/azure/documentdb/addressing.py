"""What a request's path means: the account, a database, a container, or something in one.

Paths alternate kinds and names (`/dbs/X/colls/Y/docs/Z`); a path that ends with a kind is a collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from starlette.requests import Request


@dataclass(frozen=True)
class Address:
    kinds: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, request: Request) -> Address:
        raw = request.scope.get("raw_path", request.url.path.encode()).decode().partition("?")[0]
        parts = [unquote(part) for part in raw.split("/") if part]
        return cls(tuple(parts[0::2]), tuple(parts[1::2]))

    @property
    def kind(self) -> str:
        """The kind that the path ends with, "" for the account."""
        return self.kinds[-1] if self.kinds else ""

    @property
    def one(self) -> bool:
        """Whether it names one thing, not a collection of them."""
        return bool(self.kinds) and len(self.names) == len(self.kinds)

    @property
    def text(self) -> str:
        parts = [part for pair in zip(self.kinds, self.names, strict=False) for part in pair]
        if not self.one and self.kinds:
            parts.append(self.kind)
        return "/" + "/".join(parts)

    @property
    def signed_link(self) -> str:
        """What a key's signature covers: the resource, or for a collection what it is in."""
        return self.text.strip("/") if self.one else self.text.strip("/").rpartition("/")[0]

    @property
    def scope(self) -> str:
        """The database or container it lies in (or is), as role scopes are written."""
        scoped = [f"/{kind}/{name}" for kind, name in zip(self.kinds, self.names, strict=False)]
        return "".join(part for part in scoped[:2])
