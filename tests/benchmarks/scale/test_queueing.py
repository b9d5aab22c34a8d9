"""Waiting for a pod: nothing is lost, and more load never waits less."""

from __future__ import annotations

import pytest

from benchmarks.scale.simulation import queueing

_CPU, _MODEL = 0.01, 2.0


@pytest.fixture(scope="module")
def found() -> list[queueing.Waiting]:
    return [queueing.simulate(utilisation, _CPU, _MODEL) for utilisation in (0.1, 0.3, 0.5, 0.7, 0.9)]


def test_everybody_is_served(found: list[queueing.Waiting]) -> None:
    for one in found:
        assert one.finished == one.arrived > 1000


def test_arrivals_are_as_many_as_the_rate_says(found: list[queueing.Waiting]) -> None:
    for one in found:
        expected = one.utilisation / _CPU * (180 + 60 * queueing.BURST)
        assert one.arrived == pytest.approx(expected, rel=0.05)


def test_more_load_waits_longer_and_a_burst_longest(found: list[queueing.Waiting]) -> None:
    assert [one.ordinary for one in found] == sorted(one.ordinary for one in found)
    assert [one.burst for one in found] == sorted(one.burst for one in found)
    assert all(one.burst >= one.ordinary for one in found)


def test_with_hardly_any_load_there_is_only_the_work() -> None:
    one = queueing.simulate(0.01, _CPU, _MODEL)
    # Two halves, each of a quarter always and a quarter on average by chance.
    assert _CPU / 2 < one.ordinary < 3 * _CPU


def test_a_burst_beyond_the_processor_waits_for_seconds() -> None:
    assert queueing.simulate(0.8, _CPU, _MODEL).burst > 1


def test_the_same_again_is_the_same() -> None:
    assert queueing.simulate(0.5, _CPU, _MODEL) == queueing.simulate(0.5, _CPU, _MODEL)


def test_the_highest_utilisation_within_a_bound(found: list[queueing.Waiting]) -> None:
    assert queueing.highest(found, most=found[2].burst) == 0.5
    with pytest.raises(ValueError, match="no utilisation"):
        queueing.highest(found, most=0)
