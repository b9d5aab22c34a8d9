"""A history from a backup is as old as the backup was made: less means that nothing was tested."""

from __future__ import annotations

import pytest

from drills.cut import is_under_way
from drills.disasters.geo_restore import GeoRestore, history_lost
from tests.drills.examples import at, sentinel

WRITTEN = [sentinel(number, number - 0.5, number) for number in range(1, 101)]


@pytest.mark.parametrize(
    ("newest", "is_right"), [(80, True), (30, True), (99, False), (10, False), (0, False)]
)
def test_the_history_ends_where_the_backup_does(newest: int, is_right: bool) -> None:
    """The last one before the failure is there: it was owed, and the stamp has written it."""
    rows = {f"e-{number}" for number in range(1, newest + 1)} | {"e-of-another", "e-100", "e-101"}
    found = history_lost([*WRITTEN, sentinel(101, 150, 151)], rows, failed=at(100))
    assert (found.problems == []) is is_right
    oldest = newest + 1
    lost = f"{99 - newest} rows lost, the oldest of {100 - oldest}.0 s before"
    assert found.looked_at == (lost if newest < 99 else "")


def test_executions_must_all_be_there_and_only_young_rows_may_not() -> None:
    outcome = GeoRestore().outcome(at(100), at(190))
    assert (outcome.restored, GeoRestore.rpo) == (None, 0)
    assert outcome.rows_lost is not None
    young = [one.number for one in WRITTEN if is_under_way(one, outcome.rows_lost.cut)]
    assert young == list(range(21, 101))
