from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.llm.limits import RetryBudget


def test_a_tenth_of_the_calls_may_be_made_again() -> None:
    budget = RetryBudget(share=0.1, burst=3)
    assert [budget.spend() for _ in range(4)] == [True, True, True, False]
    for _ in range(9):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    assert budget.spend()


@given(
    share=st.sampled_from([0, 0.1, 0.25, 1]),
    burst=st.integers(0, 5),
    steps=st.lists(st.booleans(), max_size=200),
)
def test_retries_never_exceed_the_burst_and_the_share(share: float, burst: int, steps: list[bool]) -> None:
    budget, calls, retries = RetryBudget(share, burst), 0, 0
    for is_call in steps:
        if is_call:
            budget.earn()
            calls += 1
        else:
            retries += budget.spend()
        assert retries <= burst + share * calls + 1e-6
