"""Limits: each is where its demand meets what there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.scale import azure, capacity, limits
from benchmarks.scale.design import Design, read
from benchmarks.scale.measured import Measured
from benchmarks.scale.workload import Execution


@pytest.fixture
def found(measured: Measured, one: Execution, built: Design) -> dict[str, float]:
    return _rates(measured, one, built)


def _rates(measured: Measured, one: Execution, built: Design) -> dict[str, float]:
    listed = limits.limits(measured, one, built, utilisation=0.5, ledger_pods=2)
    return {limit.name: limit.rate for limit in listed}


def test_the_first_binds_first(found: dict[str, float]) -> None:
    assert list(found.values()) == sorted(found.values())
    assert all(rate > 0 for rate in found.values())


def test_some_by_hand(found: dict[str, float]) -> None:
    assert found["daily token budget of all agents"] == pytest.approx(15_000_000 / 1500 / 86_400)
    assert found["tokens a minute of the model's deployment"] == pytest.approx(500_000 / 60 / 3000)
    assert found["pods"] == 40 * 50
    assert found["messages of an agent's queue"] == 2000 * 5
    assert found["processes that write the ledger's total one after another"] == 2 * 50


def test_at_the_limit_the_partition_is_full(found: dict[str, float], one: Execution, built: Design) -> None:
    rate = found["20 GB of an agent's logical partition, kept 365 days"]
    assert rate / built.agents * one.cosmos_bytes * 86_400 * 365 == pytest.approx(20e9)
    assert found["RU/s of an agent's logical partition"] / built.agents * one.cosmos_ru == pytest.approx(
        10_000
    )


def test_at_the_limit_the_ledger_is_full(found: dict[str, float]) -> None:
    rate = found["RU/s of the ledger's day, one logical partition"]
    assert capacity.ledger_ru(rate, rate / 50) == pytest.approx(azure.COSMOS_PARTITION_RU.value, rel=0.01)
    rate = found["2 MB of the ledger's total"]
    assert capacity.ledger_item_bytes(rate, rate / 50) == pytest.approx(2 * 2**20, rel=0.01)


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("daily_tokens", "daily token budget of all agents"),
        ("quota_tpm", "tokens a minute of the model's deployment"),
        ("cosmos_ru", "RU/s of container Events"),
        ("most_nodes", "nodes"),
        ("sql_vcores", "SQL log"),
        ("sql_gb", "size of the SQL database within a year"),
    ],
)
def test_a_setting_raised_moves_its_own_limit(
    setting: str, name: str, measured: Measured, one: Execution, built: Design
) -> None:
    before = _rates(measured, one, built)
    after = _rates(measured, one, replace(built, **{setting: 2 * getattr(built, setting)}))
    assert after.pop(name) == pytest.approx(2 * before.pop(name))
    assert after == before


def test_prod_is_read_as_it_is_set() -> None:
    prod = read()
    assert prod.agents == 5
    assert prod.quota_tpm >= 1000
    assert prod.most_pods >= prod.agents
    assert prod.sql_vcores >= 1
