"""Copies of a stack's state: blobs `<stack>/<time>-<sha256>.json` in an immutable container.

The time is when the copy was made, in UTC (`20261128T095930Z`); the digest is that of the content, so that
what was damaged is found out. A state that has not changed is not copied again.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

_NAME = re.compile(r"(?P<stack>[^/]+)/(?P<time>\d{8}T\d{6}Z)-(?P<digest>[0-9a-f]{64})\.json")
_TIME = "%Y%m%dT%H%M%SZ"


class StateError(Exception):
    """The copies cannot be made, read or used; the message says what to do."""


class Blobs(Protocol):
    """What is needed of azure.storage.blob.ContainerClient."""

    def list_blob_names(self, *, name_starts_with: str) -> Any: ...

    def upload_blob(self, name: str, data: bytes, *, overwrite: bool) -> Any: ...

    def download_blob(self, blob: str) -> Any: ...


@dataclass(frozen=True, order=True)
class StateCopy:
    """One copy; the newest is the greatest."""

    stack: str
    time: datetime
    digest: str

    @property
    def blob(self) -> str:
        return f"{self.stack}/{self.time:{_TIME}}-{self.digest}.json"

    @classmethod
    def parse(cls, blob: str) -> StateCopy | None:
        """None for what is no copy of a state."""
        found = _NAME.fullmatch(blob)
        if found is None:
            return None
        time = datetime.strptime(found["time"], _TIME).replace(tzinfo=UTC)
        return cls(found["stack"], time, found["digest"])


class StateCopies:
    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def list(self, stack: str) -> list[StateCopy]:
        """Oldest first."""
        names = self._blobs.list_blob_names(name_starts_with=f"{stack}/")
        return sorted(copy for name in names if (copy := StateCopy.parse(name)) is not None)

    def save(self, stack: str, state: bytes, now: datetime) -> tuple[StateCopy, bool]:
        """The newest copy, and whether it had to be made. Raises StateError for what is no state."""
        _check(state)
        digest = hashlib.sha256(state).hexdigest()
        copies = self.list(stack)
        if copies and copies[-1].digest == digest:
            return copies[-1], False
        made = StateCopy(stack, _after(copies, now), digest)
        self._blobs.upload_blob(made.blob, state, overwrite=False)
        return made, True

    def fetch(self, stack: str, at: datetime | None = None) -> bytes:
        """The newest state, or the one that was the newest at a moment. Raises StateError without one."""
        copies = self.list(stack)
        fitting = [copy for copy in copies if at is None or copy.time <= at]
        if not fitting:
            first = f"; the first is of {copies[0].time:{_TIME}}" if copies else ""
            when = f" as of {at:{_TIME}}" if at else ""
            raise StateError(f"there is no copy of the state of {stack}{when}{first}")
        content: bytes = self._blobs.download_blob(fitting[-1].blob).readall()
        if hashlib.sha256(content).hexdigest() != fitting[-1].digest:
            raise StateError(f"{fitting[-1].blob} is damaged: take an earlier one with --at")
        return content


def _after(copies: list[StateCopy], now: datetime) -> datetime:
    """Now, to the second, but later than every copy: two changes may be saved within one."""
    second = now.replace(microsecond=0)
    return max(second, copies[-1].time + timedelta(seconds=1)) if copies else second


def _check(state: bytes) -> None:
    try:
        resources = json.loads(state)["deployment"].get("resources")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError("this is not what `pulumi stack export` writes") from error
    if not resources:
        raise StateError("the state is empty: a copy of it would be taken for the newest good one")
