"""A region lost: what is missing fails, nothing else does, and what the page says of it holds."""

from __future__ import annotations

import pytest

from benchmarks.scale.simulation import regions


@pytest.mark.parametrize("quota", [0.25, 0.5, 0.75])
def test_what_fails_is_the_quota_that_is_missing(quota: float) -> None:
    found = regions.fail_over(quota)
    assert found.afterwards == pytest.approx(1 - quota, abs=0.04)
    assert found.calls > 10_000


@pytest.mark.parametrize("quota", [1.05, 1.5])
def test_with_the_peaks_quota_nothing_fails(quota: float) -> None:
    found = regions.fail_over(quota)
    assert (found.first, found.afterwards) == (0, 0)


def test_more_quota_never_fails_more() -> None:
    failed = [regions.fail_over(quota).afterwards for quota in (0.3, 0.6, 0.9, 1.2)]
    assert failed == sorted(failed, reverse=True)


def test_more_pods_lose_less_and_wait_less() -> None:
    found = [regions.take_over(standby) for standby in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert [one.lost for one in found] == sorted((one.lost for one in found), reverse=True)
    assert [one.longest_wait for one in found] == sorted((one.longest_wait for one in found), reverse=True)


def test_three_quarters_of_the_pods_turn_nobody_away_and_half_do() -> None:
    assert regions.take_over(0.75).lost == 0
    assert regions.take_over(0.5).lost > 0
    assert regions.take_over(0.5).longest_wait >= 60


def test_with_all_pods_nobody_waits() -> None:
    found = regions.take_over(1.0)
    assert (found.lost, found.recovered, found.longest_wait) == (0, 0, 0)


def test_with_no_pods_the_first_minutes_are_lost() -> None:
    # Nothing stands by, so nothing grows until the nodes come; who came in their last minute is still there.
    found = regions.take_over(0.0)
    assert found.lost == pytest.approx(180, abs=45)
