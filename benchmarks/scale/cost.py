"""What a rate costs a month, day and night, by list prices, once a year's retention has filled."""

from __future__ import annotations

from benchmarks.scale import azure, capacity, design
from benchmarks.scale.capacity import Needs
from benchmarks.scale.measured import Measured
from benchmarks.scale.workload import TELEMETRY_BYTES, Execution

_HOURS = 730
_SECONDS = _HOURS * 3600
_YEAR_DAYS = 365


def monthly(needed: Needs, measured: Measured, one: Execution) -> dict[str, float]:
    """Dollars by what they are for."""
    executions = needed.rate * _SECONDS
    cosmos_ru = (needed.cosmos_ru + needed.ledger_ru) * design.COSMOS_REGIONS / 100
    vcores = max(2.0, needed.sql_log_mbps / azure.SQL_LOG_MBPS.value)
    return {
        "model": executions
        / 1e6
        * (
            measured.prompt_tokens * azure.TOKENS_ASKED.value
            + measured.completion_tokens * azure.TOKENS_ANSWERED.value
        ),
        "nodes": _HOURS * (needed.nodes * azure.NODE_HOUR.value + needed.clusters * azure.CLUSTER_HOUR.value),
        "Cosmos DB, RU": _HOURS * cosmos_ru * azure.COSMOS_RU_HOUR.value,
        "Cosmos DB, data": needed.cosmos_gb * design.COSMOS_REGIONS * azure.COSMOS_GB_MONTH.value,
        "SQL, vCores": _HOURS * vcores * azure.SQL_VCORE_HOUR.value,
        "SQL, data": needed.sql_gb_day * _YEAR_DAYS * azure.SQL_GB_MONTH.value,
        "Event Grid": executions * (one.events + one.messages) / 1e6 * azure.EVENT_MILLION.value,
        "queues": executions
        * one.messages
        * capacity.requests_a_message()
        / 1e4
        * azure.QUEUE_TEN_THOUSAND.value,
        "telemetry, unsampled": executions * TELEMETRY_BYTES / 1e9 * azure.TELEMETRY_GB.value,
    }
