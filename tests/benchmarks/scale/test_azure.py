"""Azure's figures, and the charges between those that are documented."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchmarks.scale import azure

_SIZES = some.floats(min_value=1, max_value=4 * 2**20)


def test_every_figure_says_where_it_is_from() -> None:
    found = azure.figures()
    assert len(found) > 20
    for name, figure in found.items():
        assert figure.value > 0, name
        assert figure.source.startswith("https://"), name
        assert figure.unit, name
        assert figure.seen is None or date.fromisoformat(figure.seen), name


@pytest.mark.parametrize(("kib", "read", "write"), azure.COSMOS_CHARGES)
def test_documented_charges_are_met(kib: float, read: float, write: float) -> None:
    assert azure.read_ru(kib * 1024) == pytest.approx(read)
    assert azure.write_ru(kib * 1024) == pytest.approx(write)


def test_between_two_sizes_the_charge_is_between() -> None:
    assert azure.write_ru(3 * 1024) == pytest.approx((6.29 + 6.67) / 2)
    assert azure.write_ru(10) == 4.95


@given(_SIZES, _SIZES)
def test_more_bytes_never_cost_less(one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert azure.read_ru(small) <= azure.read_ru(large)
    assert azure.write_ru(small) <= azure.write_ru(large)
    assert azure.read_ru(large) < azure.write_ru(large)
