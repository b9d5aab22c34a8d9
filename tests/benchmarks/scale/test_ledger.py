"""Contention for the ledger: what is asked is granted once, and what the page says of it holds."""

from __future__ import annotations

import pytest

from benchmarks.scale import design
from benchmarks.scale.simulation import ledger


@pytest.mark.parametrize("paced", [False, True])
@pytest.mark.parametrize("processes", [1, 4])
def test_nothing_is_granted_that_was_not_asked(processes: int, paced: bool) -> None:
    found = ledger.simulate(processes, 10, paced=paced)
    assert 0 < found.granted <= found.asked
    assert found.asked == pytest.approx(processes * 10 * 30, rel=0.15)
    assert found.granted / found.asked > 0.95


def test_alone_a_process_waits_for_two_writes_at_most_mostly() -> None:
    found = ledger.simulate(1, 50, paced=False)
    assert found.wait < 4 * design.LEDGER_WRITE_SECONDS
    assert found.refused == 0


def test_writes_come_one_after_another() -> None:
    # The fastest of many attempts wins, which may be twice as fast as one takes on average.
    assert ledger.simulate(40, 50, paced=False).writes_per_second < 2 / design.LEDGER_WRITE_SECONDS


def test_more_processes_wait_longer() -> None:
    waits = [ledger.simulate(count, 30, paced=False).wait for count in (1, 3, 10, 40)]
    assert waits == sorted(waits)
    assert waits[-1] > 10 * waits[0]


def test_pacing_shares_the_waiting_more_evenly() -> None:
    free, paced = (ledger.simulate(20, 30, paced=each) for each in (False, True))
    assert paced.wait < free.wait / 2


def test_blocks_let_a_hundred_processes_share_a_ledger() -> None:
    found = ledger.simulate(100, 0.1, paced=False)
    assert found.wait < 0.5
    assert found.refused == 0


def test_as_many_as_wait_no_longer_than_they_may() -> None:
    found = [ledger.simulate(count, 30, paced=False) for count in (1, 3, 10)]
    assert ledger.most_processes(found, most=found[1].wait) == 3
    with pytest.raises(ValueError, match="no number of processes"):
        ledger.most_processes(found, most=0)
