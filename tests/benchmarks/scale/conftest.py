"""One small environment and its measured figures, round numbers all."""

from __future__ import annotations

import pytest

from benchmarks.scale.design import Design
from benchmarks.scale.measured import Measured
from benchmarks.scale.workload import Execution, execution


@pytest.fixture(scope="session")
def measured() -> Measured:
    return Measured(
        cpu_ms=8.0,
        consume_ms=2.0,
        peak_mib=150.0,
        prompt_tokens=1000.0,
        completion_tokens=500.0,
        max_tokens=2000.0,
        execution_bytes=2000,
        machine="2 cores",
        at="2026-11-28T00:00:00+00:00",
        calm=True,
    )


@pytest.fixture(scope="session")
def built() -> Design:
    return Design(
        agents=5,
        daily_tokens=15_000_000,
        most_pods=40,
        most_nodes=12,
        cosmos_ru=4000,
        retention_days=365,
        sql_vcores=2,
        sql_gb=256,
        quota_tpm=500_000,
    )


@pytest.fixture(scope="session")
def one(measured: Measured) -> Execution:
    return execution(measured)
