"""Content is judged to the moment, and each defect is seen."""

from __future__ import annotations

from typing import Any

import pytest

from drills.content import Restored, is_due, judge
from drills.figures import answered_again, rpo, rto
from drills.journal import Sentinel
from tests.drills.examples import at, sentinel

#: As of second 10; agents move from 30 to 40.
RESTORED = Restored(at(10), at(30), at(40))
BEFORE, ACROSS, NEWER, MOVING, AFTER = (
    sentinel(1, 8, 9),
    sentinel(2, 9.9, 10.1),
    sentinel(3, 10.1, 10.4),
    sentinel(4, 29, 31),
    sentinel(5, 41, 42),
)
ALL = [BEFORE, ACROSS, NEWER, MOVING, AFTER]


def answers(*there: Sentinel) -> dict[int, dict[str, Any] | None]:
    return {one.number: one.answer if one in there else None for one in ALL}


@pytest.mark.parametrize(
    ("one", "due"),
    [
        (BEFORE, True),
        (sentinel(9, 9, 10), True),
        (ACROSS, None),
        (NEWER, False),
        (MOVING, None),
        (AFTER, True),
        (sentinel(9, 1, None), None),
    ],
)
def test_what_must_be_there_follows_from_when_it_was_written(one: Sentinel, due: bool | None) -> None:
    assert is_due(one, RESTORED) is due


def test_data_as_of_the_moment_are_right() -> None:
    found = judge(ALL, answers(BEFORE, AFTER), failed=at(10), restored=RESTORED)
    assert found.problems == []
    assert (found.due, found.newer, found.undecided, found.lost) == (2, 1, 2, 0)
    assert judge(ALL, answers(BEFORE, ACROSS, MOVING, AFTER), failed=at(10), restored=RESTORED).problems == []


def test_a_sentinel_that_was_dropped_is_seen() -> None:
    found = judge(ALL, answers(AFTER), failed=at(10), restored=RESTORED)
    assert found.problems == ["sentinel 1, acknowledged 2026-11-28T10:00:09.000+00:00, is missing"]
    assert found.lost == 1


def test_one_that_is_too_new_is_seen() -> None:
    found = judge(ALL, answers(BEFORE, NEWER, AFTER), failed=at(10), restored=RESTORED)
    assert found.problems == ["sentinel 3, sent 2026-11-28T10:00:10.100+00:00, is newer and is there"]


def test_one_that_was_written_after_the_restore_and_is_lost_is_seen() -> None:
    (problem,) = judge(ALL, answers(BEFORE), failed=at(10), restored=RESTORED).problems
    assert problem.startswith("sentinel 5")


def test_altered_content_is_seen() -> None:
    altered = {**answers(BEFORE, AFTER), 1: {"id": "e-1", "output": {"body": "overwritten"}}}
    (problem,) = judge(ALL, altered, failed=at(10), restored=RESTORED).problems
    assert problem == ("sentinel 1 is altered: output was {'body': 'text 1'} and is {'body': 'overwritten'}")


@pytest.mark.parametrize("second", [8, 12])
def test_a_restore_to_another_second_is_seen(second: float) -> None:
    """What a restore to a wrong moment brings: everything up to then."""
    written = [sentinel(number, number - 0.5, number) for number in range(1, 15)]
    there = {one.number: one.answer if one.number <= second else None for one in written}
    right = {one.number: one.answer if one.number <= 10 else None for one in written}
    assert judge(written, right, failed=at(10), restored=RESTORED).problems == []
    assert len(judge(written, there, failed=at(10), restored=RESTORED).problems) == 2


def test_without_a_restore_everything_acknowledged_must_be_there() -> None:
    unanswered = sentinel(6, 43, None)
    found = judge([*ALL, unanswered], answers(*ALL), failed=at(10))
    assert (found.due, found.problems) == (5, [])
    assert len(judge(ALL, answers(BEFORE, AFTER), failed=at(10)).problems) == 3


def test_rpo_is_nothing_where_nothing_acknowledged_is_lost() -> None:
    assert rpo(at(30), judge(ALL, answers(*ALL), failed=at(30))) == 0


def test_rpo_goes_back_to_the_newest_that_was_recovered() -> None:
    # Of those acknowledged before second 30, numbers 2 and 3 are lost; what came later does not count.
    assert rpo(at(30), judge(ALL, answers(BEFORE, AFTER), failed=at(30))) == 21
    assert rpo(at(30), judge(ALL, answers(AFTER), failed=at(30))) == float("inf")


def test_rto_is_from_the_failure_to_the_first_answer() -> None:
    assert rto(at(10), at(52.5)) == 42.5
    with pytest.raises(ValueError, match="before it failed"):
        rto(at(10), at(9))


@pytest.mark.parametrize(
    ("written", "failed", "answered"),
    [
        ([sentinel(1, 1, 2), sentinel(2, 3, 4)], 1.5, 1.5),
        ([sentinel(1, 1, 2), sentinel(2, 3, None), sentinel(3, 5, 6), sentinel(4, 7, 8)], 3, 6),
        ([sentinel(1, 3, None), sentinel(2, 4, 5), sentinel(3, 6, None), sentinel(4, 7, 9)], 3, 9),
        ([sentinel(1, 1, None), sentinel(2, 3, 4)], 2, 2),
    ],
    ids=["throughout", "once not", "twice not", "before"],
)
def test_callers_are_served_again_after_the_last_that_was_not(
    written: list[Sentinel], failed: float, answered: float
) -> None:
    noted = [one if one.acknowledged else one.model_copy(update={"failure": "refused"}) for one in written]
    assert answered_again(noted, at(failed)) == at(answered)


def test_what_is_never_answered_again_has_no_time() -> None:
    lost = sentinel(2, 3, None).model_copy(update={"failure": "refused"})
    for written in ([sentinel(1, 1, 2), lost], [sentinel(1, 1, 2)]):
        with pytest.raises(RuntimeError, match="nothing was acknowledged any more"):
            answered_again(written, at(3))
