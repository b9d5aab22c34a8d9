"""Needs grow with the rate, and suffice for it."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchmarks.scale import azure, capacity, cost, design
from benchmarks.scale.capacity import Needs
from benchmarks.scale.design import Design
from benchmarks.scale.measured import Measured
from benchmarks.scale.workload import Execution

_RATES = some.floats(min_value=0.01, max_value=1e6)


def _needs(rate: float, measured: Measured, one: Execution, built: Design) -> Needs:
    return capacity.needs(rate, measured, one, built, utilisation=0.5, ledger_pods=2)


@given(rate=_RATES, other=_RATES)
def test_more_executions_never_need_less(
    rate: float, other: float, measured: Measured, one: Execution, built: Design
) -> None:
    low, high = sorted((rate, other))
    before, after = asdict(_needs(low, measured, one, built)), asdict(_needs(high, measured, one, built))
    # A shard's own document may be smaller when there is one shard more.
    del before["ledger_item_bytes"], before["ledger_ru"]
    assert [name for name in before if before[name] > after[name]] == []


@given(rate=_RATES)
def test_what_is_needed_suffices(rate: float, measured: Measured, one: Execution, built: Design) -> None:
    found = _needs(rate, measured, one, built)
    left = found.pods * (design.ZONES - 1) / design.ZONES
    assert left * capacity.pod_rate(measured, 0.5) >= rate * 0.999
    assert found.nodes * design.NODE_CPUS >= found.pods
    assert found.nodes * design.NODE_GIB * 1024 >= found.pods * measured.peak_mib
    assert found.cosmos_partitions * azure.COSMOS_PARTITION_RU.value >= found.cosmos_ru * 0.999
    assert found.containers * azure.COSMOS_CONTAINER_RU.value >= found.cosmos_ru * 0.999
    assert found.lanes * built.agents * azure.COSMOS_PARTITION_GB.value >= found.cosmos_gb * 0.999
    assert found.topics * azure.TOPIC_EVENTS.value >= found.events
    assert found.topics * azure.TOPIC_BYTES.value >= found.events * one.event_bytes
    assert found.queues * azure.QUEUE_MESSAGES.value >= found.messages
    assert found.accounts * azure.ACCOUNT_REQUESTS.value >= 2 * found.messages
    assert found.quotas * azure.MODEL_TPM_MOST.value >= found.quota_minute * 0.999


def test_small_numbers_by_hand(measured: Measured, one: Execution, built: Design) -> None:
    found = _needs(100, measured, one, built)
    # 50 a second a pod, of three zones one lost: 100 / 50 * 3 / 2, but two of each agent.
    assert (found.pods, found.nodes) == (10, 3)
    assert _needs(1000, measured, one, built).pods == 30
    assert found.in_flight == 200
    assert found.tokens_minute == 100 * 60 * 1500
    assert found.quota_minute == 100 * 60 * 3000
    assert found.sql_rows == 100
    assert (found.queues, found.topics, found.accounts) == (5, 1, 1)


def test_a_pod_is_bounded_by_its_calls_too(measured: Measured) -> None:
    fast = replace(measured, cpu_ms=1.0, consume_ms=0.0)
    assert capacity.pod_rate(fast, 0.5) == design.POD_CALLS / 2
    assert capacity.pod_rate(measured, 0.5) == 50


def test_the_ledger_writes_no_more_than_fits_one_after_another() -> None:
    assert capacity.ledger_ru(1, 1) == pytest.approx(2 * 2 * azure.write_ru(capacity.ledger_item_bytes(1, 1)))
    item = capacity.ledger_item_bytes(1000, 20)
    per_write = 2 * (azure.write_ru(item) + azure.read_ru(item))
    assert capacity.ledger_ru(1000, 20) == pytest.approx(per_write / design.LEDGER_WRITE_SECONDS)


@given(rate=_RATES, other=_RATES)
def test_more_executions_never_cost_less(
    rate: float, other: float, measured: Measured, one: Execution, built: Design
) -> None:
    low, high = (
        cost.monthly(_needs(each, measured, one, built), measured, one) for each in sorted((rate, other))
    )
    # The ledger's part of the RU depends on how many shards there are.
    assert [name for name in low if name != "Cosmos DB, RU" and low[name] > high[name]] == []


def test_the_model_by_hand(measured: Measured, one: Execution, built: Design) -> None:
    found = cost.monthly(_needs(10, measured, one, built), measured, one)
    a_thousand = (1000 * 0.75 + 500 * 4.50) / 1000
    assert found["model"] == pytest.approx(10 * 730 * 3.6 * a_thousand)
