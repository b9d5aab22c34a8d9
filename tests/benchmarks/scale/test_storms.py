"""Storms of retries: every call ends one way, and what the page says of them holds."""

from __future__ import annotations

import pytest

from app.settings import LimitSettings
from benchmarks.scale.simulation import storms
from benchmarks.scale.simulation.storms import Policy, Storm


@pytest.fixture(scope="module")
def found() -> dict[Policy, Storm]:
    return {policy: storms.simulate(policy) for policy in Policy}


def test_every_call_is_answered_or_fails(found: dict[Policy, Storm]) -> None:
    for storm in found.values():
        assert storm.answered + storm.failed == storm.calls > 3000


def test_nobody_asks_more_often_than_allowed(found: dict[Policy, Storm]) -> None:
    assert found[Policy.NO_RETRY].attempts == pytest.approx(1, abs=0.01)
    assert found[Policy.RETRIES].attempts <= LimitSettings().attempts
    # A call is one attempt, and a share of the calls may be made again.
    assert found[Policy.ROUTER].attempts < 1 + LimitSettings().retry_share + 0.05


def test_retries_alone_make_an_outage_of_a_minute_one_without_end(found: dict[Policy, Storm]) -> None:
    assert found[Policy.RETRIES].recovery is None
    assert found[Policy.RETRIES].after < 0.1


def test_with_breaker_and_budget_the_queue_drains(found: dict[Policy, Storm]) -> None:
    router, none = found[Policy.ROUTER], found[Policy.NO_RETRY]
    assert router.recovery is not None
    assert none.recovery is not None
    assert router.recovery < none.recovery
    assert router.queue < none.queue


def test_with_a_second_region_nobody_notices(found: dict[Policy, Storm]) -> None:
    backed = found[Policy.ROUTER_WITH_BACKUP]
    assert backed.during > 0.99
    assert backed.failed == 0


def test_the_same_again_is_the_same(found: dict[Policy, Storm]) -> None:
    assert storms.simulate(Policy.ROUTER) == found[Policy.ROUTER]
