"""What is asked beside Resource Manager: names and ages of copies and images. Lists, reads no content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Blob:
    """`written`: when it last was, in UTC."""

    name: str
    written: datetime


@dataclass(frozen=True)
class Image:
    """One manifest of a repository; `pushed`: when it last was, in UTC."""

    digest: str
    tags: Sequence[str]
    pushed: datetime


class Data(Protocol):
    """Data planes, as whoever is signed in. Every method raises AskError."""

    def blobs(self, account: str, container: str, prefix: str) -> list[Blob]:
        """Those whose names begin with `prefix`."""

    def repositories(self, registry: str) -> frozenset[str]: ...

    def images(self, registry: str, repository: str) -> list[Image]: ...
