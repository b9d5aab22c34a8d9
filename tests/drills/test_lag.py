"""Of a copy that is behind, exactly so much may be missing, and the history of that much need not agree."""

from __future__ import annotations

from typing import Any

import pytest

from app.audit import Books, Row
from drills import balance
from drills.bookkeeping import slack
from drills.content import Behind, is_due, judge
from drills.cut import RowsLost
from drills.disasters.region_loss import RESOLUTION, RegionLoss, RegionLossBehind
from drills.figures import rpo
from drills.journal import Sentinel
from drills.report import Figure
from tests.drills.examples import at, books, sentinel

#: Lost at 60, 10 s behind; the stamp answers from 90 on.
BEHIND = Behind(at(60), 10, 3, served=at(90))
WRITTEN = [sentinel(number, number - 0.5, number) for number in (*range(1, 61), *range(91, 95))]


def there(*numbers: int) -> dict[int, dict[str, Any] | None]:
    return {one.number: one.answer if one.number in numbers else None for one in WRITTEN}


@pytest.mark.parametrize(
    ("one", "due"),
    [
        (sentinel(1, 46, 47), True),
        (sentinel(1, 46.5, 47.1), None),
        (sentinel(1, 58, 59), None),
        (sentinel(1, 61, 62), None),
        (sentinel(1, 89, 91), None),
        (sentinel(1, 90, 91), True),
        (sentinel(1, 1, None), None),
    ],
)
def test_what_is_older_than_the_lag_must_be_there(one: Sentinel, due: bool | None) -> None:
    assert is_due(one, BEHIND) is due


def test_exactly_the_lag_may_be_missing() -> None:
    found = judge(WRITTEN, there(*range(1, 51), *range(91, 95)), failed=at(60), restored=BEHIND)
    assert (found.problems, found.lost) == ([], 10)
    assert rpo(at(60), found) == 10
    assert BEHIND.problems(10) == []


def test_more_than_the_lag_is_seen() -> None:
    found = judge(WRITTEN, there(*range(1, 46), *range(91, 95)), failed=at(60), restored=BEHIND)
    assert [problem.split(",")[0] for problem in found.problems] == ["sentinel 46", "sentinel 47"]
    assert BEHIND.problems(rpo(at(60), found)) == [
        "RPO is 15.0 s where the copy was 10 s behind, give or take 3 s"
    ]


def test_a_gap_in_what_is_older_is_seen() -> None:
    found = judge(
        WRITTEN, there(*range(1, 20), *range(21, 51), *range(91, 95)), failed=at(60), restored=BEHIND
    )
    assert [problem.split(",")[0] for problem in found.problems] == ["sentinel 20"]


def test_what_the_stamp_acknowledged_is_never_lost() -> None:
    found = judge(WRITTEN, there(*range(1, 51), 91, 92, 94), failed=at(60), restored=BEHIND)
    assert [problem.split(",")[0] for problem in found.problems] == ["sentinel 93"]


def test_a_lag_that_was_not_there_is_seen() -> None:
    """Nothing missing is no success: then the lag was not injected, and nothing was tested."""
    everything = judge(WRITTEN, there(*range(1, 61), *range(91, 95)), failed=at(60), restored=BEHIND)
    assert everything.problems == []
    assert BEHIND.problems(rpo(at(60), everything)) != []


def test_without_a_lag_nothing_may_be_missing() -> None:
    outcome = RegionLoss().outcome(at(60), at(90))
    assert (outcome.restored, outcome.rows_lost, RegionLoss.rpo) == (None, None, 0)


def test_with_a_lag_the_target_is_the_lag_and_what_cannot_be_told() -> None:
    drill = RegionLossBehind()
    outcome = drill.outcome(at(60), at(90))
    assert outcome.restored == Behind(at(60), drill.lag, RESOLUTION, served=at(90))
    assert Figure(measured=drill.lag + RESOLUTION, target=drill.rpo).met
    assert not Figure(measured=drill.lag + RESOLUTION + 0.1, target=drill.rpo).met


def test_tokens_of_the_whole_lag_are_under_way() -> None:
    sentinels = [sentinel(1, 45, 45.9), sentinel(2, 50, 51), sentinel(3, 58, None), sentinel(4, 64.1, 65)]
    assert slack(books(), sentinels, [BEHIND.cut]) == 200 + 300, "its own, and the dearest"


def without_row(found: Books) -> None:
    del found.rows[1]


def without_execution(found: Books) -> None:
    found.rows.append(Row(id="e-9", agent="devops", correlation="drill-1", status="succeeded", tokens=1))


@pytest.mark.parametrize("damage", [without_row, without_execution], ids=["row", "execution"])
def test_one_may_be_without_the_other_of_what_is_excused(damage: Any) -> None:
    found = books()
    damage(found)
    assert balance.history(found, {"drill-1"}) == []
    assert len(balance.history(found, {"drill-2"})) == 1


def test_what_is_there_twice_or_differs_is_not_excused() -> None:
    altered, doubled = books(), books()
    altered.rows[1].tokens = 0
    doubled.rows.append(doubled.rows[0])
    assert len(balance.history(altered, {"drill-1"})) == len(balance.history(doubled, {"drill-1"})) == 1


def test_a_report_says_what_is_not_asked_for() -> None:
    lost = RowsLost((at(0), at(10)), "there is no long-term backup")
    assert lost.of([sentinel(1, 2, 3), sentinel(2, 12, 13), sentinel(3, 5, None)]) == {"drill-1", "drill-3"}
    said = lost.said(2)
    assert (said.looked_at, said.said) == ("2 correlations", "left out: there is no long-term backup")
