"""An outage under steady load, in virtual time: who fails, who waits, and what the providers are spared."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass

import pytest

from app.llm.chat import Completion
from app.llm.failures import ExhaustedError
from app.settings import BreakerSettings
from tests.app.llm import virtual
from tests.app.llm.models import (
    BROKEN,
    GOOD,
    HANG,
    MESSAGES,
    PROMPT,
    RESET,
    THROTTLED,
    Behaviour,
    Model,
    phases,
    router,
)

pytestmark = pytest.mark.slow

RATE = 15  # requests a second


@dataclass(frozen=True)
class Request:
    """When it began, how long it took, and who answered; nobody: the error."""

    began: float
    seconds: float
    ended: str | Exception


def _load(seconds: float, *models: Model) -> list[Request]:
    async def main() -> list[Request]:
        asked = router(*models)

        async def one() -> Request:
            began = virtual.now()
            ended: str | Exception
            try:
                ended = (await asked.complete(PROMPT, MESSAGES)).provider
            except ExhaustedError as error:
                ended = error
            return Request(began, virtual.now() - began, ended)

        tasks = []
        while virtual.now() < seconds:
            tasks.append(asyncio.ensure_future(one()))
            await asyncio.sleep(1 / RATE)
        return await asyncio.gather(*tasks)

    return virtual.run(main)


def _within(requests: list[Request], begin: float, end: float) -> list[Request]:
    return [request for request in requests if begin <= request.began < end]


def test_one_provider_after_the_other_fails_in_every_way_and_no_request_does() -> None:
    """3,000 requests; at any time one of the three lives."""
    primary = Model(
        "primary", phases((20, GOOD), (20, HANG), (20, GOOD), (20, THROTTLED), (20, BROKEN), (20, RESET))
    )
    backup = Model("backup", phases((70, GOOD), (15, BROKEN), (15, THROTTLED), (10, GOOD), (20, RESET)))
    requests = _load(200, primary, backup, Model("last"))
    assert len(requests) >= 3000
    assert [request for request in requests if isinstance(request.ended, Exception)] == []
    # Where nobody hangs, being passed on costs next to nothing.
    calm = [request.seconds for request in requests if not 20 <= request.began < 60]
    assert max(calm) < 1
    assert statistics.quantiles(calm, n=100)[98] < 0.2
    # Whoever hangs costs a call no more than one attempt's time, and only until the breaker opens.
    slow = [request for request in requests if request.seconds > 1]
    assert max(request.seconds for request in slow) < 21
    assert {request.ended for request in _within(requests, 190, 200)} == {"primary"}


@pytest.mark.parametrize("fault", [BROKEN, RESET, THROTTLED], ids=["broken", "reset", "throttled"])
def test_with_all_providers_down_callers_are_turned_away_soon_and_providers_spared(fault: Behaviour) -> None:
    models = [Model(name, phases((10, GOOD), (40, fault))) for name in ("primary", "backup")]
    requests = _load(50, *models)
    down = _within(requests, 12, 48)
    errors = [request.ended for request in down if isinstance(request.ended, ExhaustedError)]
    assert len(errors) == len(down) > 500
    assert all(0 < error.retry_after <= 60 for error in errors)
    # A second for a provider to be free, and the pauses before at most two retries.
    assert max(request.seconds for request in down) < 2
    for model in models:
        # However many ask, it is probed at its interval.
        assert sum(12 <= call < 48 for call in model.calls) <= 36 / BreakerSettings().probe_seconds + 1


@pytest.mark.parametrize("fault", [BROKEN, RESET], ids=["broken", "reset"])
@pytest.mark.parametrize("count", [1, 2])
def test_the_first_request_after_a_whole_outage_is_answered(fault: Behaviour, count: int) -> None:
    """Unless a provider asked for a pause, it is found as soon as it is back."""
    models = [Model(f"model-{number}", phases((20, fault))) for number in range(count)]
    after = _within(_load(35, *models), 20, 35)
    assert [request for request in after if isinstance(request.ended, Exception)] == []
    assert max(request.seconds for request in after) < 1.1


def test_after_a_pause_that_was_asked_for_requests_are_answered_again() -> None:
    models = [Model(name, phases((20, THROTTLED))) for name in ("primary", "backup")]
    requests = _load(40, *models)
    failed = [request.began for request in requests if isinstance(request.ended, Exception)]
    # `THROTTLED` asks for two seconds; a caller waits up to one of them.
    assert 19 < max(failed) < 20 + 2
    assert all(isinstance(request.ended, str) for request in _within(requests, 22, 40))


def test_the_load_of_retries_stays_within_its_budget() -> None:
    """Every twentieth call slips: the calls that mend them are as many, not more."""

    class Slips(Model):
        async def complete(self, chat, seconds):  # type: ignore[no-untyped-def]
            self.plan = lambda _: RESET if len(self.calls) % 20 == 19 else GOOD
            return await super().complete(chat, seconds)

    alone = Slips("alone")
    requests = _load(40, alone)
    assert all(isinstance(request.ended, str) for request in requests)
    assert len(alone.calls) < 1.07 * len(requests)


def test_a_completion_is_what_a_request_ends_in() -> None:
    async def main() -> Completion:
        return await router(Model("alone")).complete(PROMPT, MESSAGES)

    assert virtual.run(main) == Completion({"word": "yes"}, "alone", "alone-model", 10, 5)
