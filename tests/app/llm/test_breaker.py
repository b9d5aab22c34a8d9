from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import ValidationError

from app.llm.breaker import Breaker, Permit, State
from app.settings import BreakerSettings

SETTINGS = BreakerSettings.model_validate(
    {"Failures": 3, "Window": 5, "CooldownSeconds": 10, "MaxCooldownSeconds": 40, "ProbeSeconds": 2}
)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(SETTINGS, clock)


def _permit(breaker: Breaker, *, early: bool = False) -> Permit:
    permit = breaker.admit(early=early)
    assert permit is not None
    return permit


def _is(breaker: Breaker, state: State) -> bool:
    return breaker.state is state


def _open(breaker: Breaker) -> None:
    for _ in range(3):
        _permit(breaker).failed()
    assert _is(breaker, State.OPEN)


def test_it_opens_at_so_many_failures_of_the_last_calls(breaker: Breaker) -> None:
    for failed in (True, True, False, False, False, True, True):
        permit = _permit(breaker)
        permit.failed() if failed else permit.succeeded()
        assert _is(breaker, State.CLOSED)
    _permit(breaker).failed()
    assert _is(breaker, State.OPEN)
    assert breaker.admit() is None


def test_after_the_cooldown_one_probe_goes_through_and_closes_it(breaker: Breaker, clock: Clock) -> None:
    _open(breaker)
    clock.now += 9.99
    assert breaker.admit() is None
    clock.now += 0.01
    probe = _permit(breaker)
    assert _is(breaker, State.HALF_OPEN)
    assert breaker.admit() is breaker.admit(early=True) is None
    assert breaker.wait() is None
    probe.succeeded()
    assert _is(breaker, State.CLOSED)
    _permit(breaker).failed()
    assert _is(breaker, State.CLOSED), "what happened before it opened is forgotten"


def test_the_cooldown_doubles_with_each_failed_probe_up_to_a_bound(breaker: Breaker, clock: Clock) -> None:
    _open(breaker)
    for seconds in (10, 20, 40, 40):
        assert breaker.wait() == seconds
        clock.now += seconds
        _permit(breaker).failed()
    clock.now += 40
    _permit(breaker).succeeded()
    _open(breaker)
    assert breaker.wait() == 10


def test_a_pause_that_was_asked_for_does_not_lengthen_the_next_cooldown(
    breaker: Breaker, clock: Clock
) -> None:
    _permit(breaker).failed(5)
    for _ in range(3):
        clock.now += 5
        _permit(breaker).failed(5)
    clock.now += 5
    _permit(breaker).failed()
    assert breaker.wait() == 10


@pytest.mark.parametrize(("told", "kept"), [(0.25, 0.25), (25, 25), (3600, 40)])
def test_one_pause_that_is_asked_for_opens_it_for_as_long(
    breaker: Breaker, clock: Clock, told: float, kept: float
) -> None:
    _permit(breaker).failed(told)
    assert breaker.wait() == breaker.wait(early=True) == kept
    clock.now += kept
    assert breaker.admit() is not None


def test_a_pause_of_nothing_is_a_failure_like_any_other(breaker: Breaker) -> None:
    _permit(breaker).failed(0)
    assert _is(breaker, State.CLOSED)


def test_only_a_cooldown_of_its_own_may_be_cut_short(breaker: Breaker, clock: Clock) -> None:
    _open(breaker)
    assert breaker.admit(early=True) is None
    clock.now += 2
    assert breaker.admit() is None
    _permit(breaker, early=True).failed()
    assert breaker.wait(early=True) == 2
    clock.now += 2
    _permit(breaker, early=True).failed(30)
    clock.now += 29
    assert breaker.admit(early=True) is None


def test_calls_of_before_it_opened_close_nothing_and_may_lengthen_the_pause(
    breaker: Breaker, clock: Clock
) -> None:
    late = [_permit(breaker) for _ in range(4)]
    _open(breaker)
    late[0].succeeded()
    late[1].failed()
    late[2].abandoned()
    assert (breaker.state, breaker.wait()) == (State.OPEN, 10)
    late[3].failed(25)
    assert breaker.wait() == breaker.wait(early=True) == 25


def test_when_it_has_closed_again_late_failures_count_only_if_they_ask_for_a_pause(
    breaker: Breaker, clock: Clock
) -> None:
    late = [_permit(breaker) for _ in range(6)]
    _open(breaker)
    clock.now += 10
    _permit(breaker).succeeded()
    for permit in late[:5]:
        permit.failed()
    assert _is(breaker, State.CLOSED)
    late[5].failed(4)
    assert breaker.wait() == 4


def test_a_late_success_does_not_pass_for_the_probes(breaker: Breaker, clock: Clock) -> None:
    late = _permit(breaker)
    _open(breaker)
    clock.now += 10
    probe = _permit(breaker)
    late.succeeded()
    assert _is(breaker, State.HALF_OPEN)
    probe.failed()
    assert _is(breaker, State.OPEN)


def test_a_probe_that_told_nothing_leaves_its_place(breaker: Breaker, clock: Clock) -> None:
    _open(breaker)
    clock.now += 10
    _permit(breaker).abandoned()
    _permit(breaker).succeeded()
    assert _is(breaker, State.CLOSED)


def test_every_change_is_told(clock: Clock) -> None:
    told: list[State] = []
    breaker = Breaker(SETTINGS, clock, told.append)
    _open(breaker)
    clock.now += 10
    _permit(breaker).succeeded()
    assert told == [State.OPEN, State.HALF_OPEN, State.CLOSED]


def test_a_breaker_that_could_never_open_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"Failures \(6\) cannot exceed Window \(5\)"):
        BreakerSettings.model_validate({"Failures": 6, "Window": 5})


class Anything(RuleBasedStateMachine):
    """Callers that come, succeed, fail and vanish in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(SETTINGS, self.clock)
        self.out: list[Permit] = []
        self.probe: Permit | None = None
        self.told_until = 0.0

    @rule(early=st.booleans())
    def come(self, early: bool) -> None:
        before = self.breaker.state
        permit = self.breaker.admit(early=early)
        if before is State.HALF_OPEN:
            assert permit is None, "a second probe"
        if before is State.CLOSED:
            assert permit is not None
        if permit is None:
            return
        if before is State.OPEN:
            assert self.clock.now >= self.told_until, "a pause that was asked for was not kept"
            self.probe = permit
        self.out.append(permit)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), retry_after=st.sampled_from([None, 0, 0.5, 5, 1000]))
    def fail(self, data: st.DataObject, retry_after: float | None) -> None:
        permit = self._take(data)
        # A call of before the probe says nothing about the probe.
        counts = self.breaker.state is not State.HALF_OPEN or permit is self.probe
        permit.failed(retry_after)
        if counts and retry_after:
            self.told_until = max(self.told_until, self.clock.now + min(retry_after, 40))
            assert self.breaker.state is State.OPEN

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        permit, before = self._take(data), self.breaker.state
        permit.succeeded()
        if before is State.HALF_OPEN and permit is self.probe:
            assert self.breaker.state is State.CLOSED
            self.told_until = 0.0
        else:
            assert self.breaker.state is before

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        self._take(data).abandoned()

    @rule(quarters=st.integers(0, 200))
    def wait(self, quarters: int) -> None:
        # Exact in binary, so that sums can be compared.
        self.clock.now += quarters / 4

    @invariant()
    def nobody_is_locked_out(self) -> None:
        wait, early = self.breaker.wait(), self.breaker.wait(early=True)
        if self.breaker.state is State.HALF_OPEN:
            assert self.probe in self.out, "half-open, and no probe under way"
        else:
            assert wait is not None
            assert early is not None
            assert 0 <= early <= wait <= 40

    def _take(self, data: st.DataObject) -> Permit:
        return self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))


TestAnything = Anything.TestCase
