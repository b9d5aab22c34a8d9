"""Percentiles by nearest rank."""

from __future__ import annotations

import pytest

from benchmarks.load.percentile import percentile


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.1, 1), (0.5, 5), (0.51, 6), (0.95, 10), (1.0, 10)]
)
def test_the_smallest_that_so_many_do_not_exceed(share: float, expected: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == expected


def test_of_nothing_there_is_none() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
