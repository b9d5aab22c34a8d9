"""What a pass does when something is wrong, and what is left of one that was cut off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import pytest
from azure.core.exceptions import ServiceRequestError
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from app.backup.format import CorruptError
from app.backup.letters import LetterCopies
from app.backup.restorable import Restorable
from app.backup.worker import Worker
from app.dependency import DependencyError
from tests.app import virtual

NOW = 1_800_000_000.0


class Memory:
    """A container; after `lasts` operations whoever uses it is ended."""

    def __init__(self, blobs: Mapping[str, bytes] | None = None, lasts: int = 10_000) -> None:
        self.blobs, self.lasts = dict(blobs or {}), lasts

    async def sizes(self, prefix: str = "") -> dict[str, int]:
        self._used()
        return {name: len(content) for name, content in self.blobs.items() if name.startswith(prefix)}

    async def create(self, name: str, content: bytes, metadata: Mapping[str, str]) -> None:
        self._used()
        self.blobs.setdefault(name, content)

    async def read(self, name: str) -> bytes:
        self._used()
        return self.blobs[name]

    def _used(self) -> None:
        self.lasts -= 1
        if self.lasts < 0:
            raise asyncio.CancelledError


class Kind:
    def __init__(
        self, name: str, copying: Exception | None = None, comparing: Exception | None = None
    ) -> None:
        self.name, self._copying, self._comparing = name, copying, comparing
        self.compared = False

    async def copy(self) -> int:
        if self._copying:
            raise self._copying
        return 1

    async def validate(self) -> None:
        self.compared = True
        if self._comparing:
            raise self._comparing


def _figure(metric: str, data: str) -> float | None:
    return REGISTRY.get_sample_value(metric, {"data": data})


def _pass(*kinds: Kind, others: tuple[Restorable, ...] = ()) -> bool:
    return asyncio.run(Worker(kinds, others, lambda: NOW).once())


def test_a_pass_that_went_well_says_as_of_when() -> None:
    assert _pass(Kind("good"))
    assert _figure("backup_newest_timestamp_seconds", "good") == NOW
    assert _figure("backup_validated_timestamp_seconds", "good") == NOW
    assert _figure("backup_failures_total", "good") == 0


@pytest.mark.parametrize(
    "error",
    [ServiceRequestError("no answer"), DependencyError("refused"), ZeroDivisionError("a defect")],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_copied_is_said_and_keeps_nothing_else_from_it(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"broken-{type(error).__name__}"
    broken, fine = Kind(name, copying=error), Kind(f"fine-beside-{name}")
    with caplog.at_level(logging.ERROR):
        assert not _pass(broken, fine)
    assert not broken.compared
    assert _figure("backup_newest_timestamp_seconds", name) is None
    assert _figure("backup_failures_total", name) == 1
    assert _figure("backup_newest_timestamp_seconds", fine.name) == NOW
    assert f"{name}: cannot copy" in caplog.text


def test_a_copy_that_is_no_good_leaves_the_time_of_the_last_good_one() -> None:
    assert _pass(Kind("once-good"))
    assert not asyncio.run(
        Worker([Kind("once-good", comparing=CorruptError("changed"))], (), lambda: NOW + 60).once()
    )
    assert _figure("backup_newest_timestamp_seconds", "once-good") == NOW + 60
    assert _figure("backup_validated_timestamp_seconds", "once-good") == NOW
    assert _figure("backup_failures_total", "once-good") == 1


def test_backups_that_azure_makes_are_asked_for() -> None:
    async def then() -> float:
        return NOW - 100

    async def never() -> float:
        raise DependencyError("no right to know")

    assert not _pass(others=(Restorable("then", then), Restorable("never", never)))
    assert _figure("backup_newest_timestamp_seconds", "then") == NOW - 100
    assert _figure("backup_newest_timestamp_seconds", "never") is None
    assert _figure("backup_failures_total", "never") == 1


def test_it_passes_an_interval_apart_until_it_is_stopped() -> None:
    began: list[float] = []

    class Timed(Kind):
        async def copy(self) -> int:
            began.append(asyncio.get_running_loop().time())
            if len(began) == 3:
                stopping.set()
            return 0

    async def work() -> None:
        await Worker([Timed("timed")], ()).run(900, stopping)

    stopping = asyncio.Event()
    virtual.run(work())
    assert began == [0, 900, 1800]


_LETTERS = st.dictionaries(
    st.from_regex(r"\ASUB-[A-Z]{1,3}/2026/11/[0-3][0-9]/[a-f0-9]{4}\.json\Z"),
    st.binary(max_size=20),
    max_size=6,
)


@given(letters=_LETTERS, kills=st.lists(st.integers(0, 20), max_size=5))
def test_however_often_it_is_killed_the_copies_become_complete(
    letters: dict[str, bytes], kills: list[int]
) -> None:
    copies = Memory()
    for lasts in kills:
        copies.lasts = lasts
        try:
            asyncio.run(LetterCopies(Memory(letters), copies).copy())
        except asyncio.CancelledError:
            assert copies.blobs.items() <= letters.items()
    copies.lasts = 10_000
    made = asyncio.run(LetterCopies(Memory(letters), copies).copy())
    assert made == len(letters) - (len(copies.blobs) - made)
    assert copies.blobs == letters
    asyncio.run(LetterCopies(Memory(letters), copies).validate())
    assert asyncio.run(LetterCopies(Memory(letters), copies).copy()) == 0


_OLD, _NEW = "SUB-B/2026/11/01/10/a.json", "SUB-A/2026/11/02/09/b.json"


@pytest.mark.parametrize(
    ("copies", "why"),
    [
        ({_OLD: b"old", _NEW: b"nEw"}, "another content"),
        ({_OLD: b"ol", _NEW: b"new"}, "2 bytes instead of 3"),
        ({}, "no copy of any"),
    ],
    ids=["changed", "shortened", "none"],
)
def test_copies_that_are_not_like_their_letters_are_found_out(copies: dict[str, bytes], why: str) -> None:
    letters = Memory({_OLD: b"old", _NEW: b"new"})
    with pytest.raises(CorruptError, match=why):
        asyncio.run(LetterCopies(letters, Memory(copies)).validate())
