"""What so many executions a second need: formulas, from the measured figures and Azure's limits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmarks.scale import azure, design
from benchmarks.scale.design import Design
from benchmarks.scale.measured import Measured
from benchmarks.scale.workload import EVENTS, LISTENERS, MODEL_SECONDS, Execution

_DAY = 86_400
#: Of a limit that is shared by chance (hashing, random splitting), this much is planned for.
_EVEN = 0.7


@dataclass(frozen=True)
class Needs:
    """For `rate` executions a second. Names of services say how many are needed of them."""

    rate: float
    pods: int
    nodes: int
    clusters: int
    in_flight: float
    cosmos_ru: float
    cosmos_partitions: int
    containers: int
    lanes: int
    cosmos_gb: float
    ledger_item_bytes: float
    ledger_ru: float
    ledger_shards: int
    sql_rows: float
    sql_gb_day: float
    sql_log_mbps: float
    sql_databases: int
    events: float
    topics: int
    messages: float
    queues: int
    accounts: int
    tokens_minute: float
    quota_minute: float
    quotas: int


def needs(
    rate: float, measured: Measured, one: Execution, built: Design, *, utilisation: float, ledger_pods: int
) -> Needs:
    """`utilisation`: of a pod's processor, at which waiting is still short.

    `ledger_pods`: as many as can share a shard of the ledger.
    """
    in_flight = rate * MODEL_SECONDS
    pods = _pods(rate, measured, built, utilisation)
    shards = _at_least_one(pods / ledger_pods)
    item = ledger_item_bytes(rate / shards, pods / shards)
    nodes = _nodes(pods, measured)
    gb = rate * one.cosmos_bytes * _DAY * built.retention_days / 1e9
    ru = rate * one.cosmos_ru
    log = rate * one.sql_log_bytes / 1e6
    return Needs(
        rate=rate,
        pods=pods,
        nodes=nodes,
        clusters=_at_least_one(nodes / azure.CLUSTER_NODES.value),
        in_flight=in_flight,
        cosmos_ru=ru,
        cosmos_partitions=_at_least_one(
            max(ru / azure.COSMOS_PARTITION_RU.value, gb / azure.COSMOS_PHYSICAL_GB.value)
        ),
        containers=_at_least_one(ru / azure.COSMOS_CONTAINER_RU.value),
        lanes=_lanes(ru / built.agents, gb / built.agents),
        cosmos_gb=gb,
        ledger_item_bytes=item,
        ledger_ru=ledger_ru(rate / shards, pods / shards) * shards,
        ledger_shards=shards,
        sql_rows=rate,
        sql_gb_day=rate * one.sql_bytes * _DAY / 1e9,
        sql_log_mbps=log,
        sql_databases=_at_least_one(log / azure.SQL_HYPERSCALE_LOG_MBPS.value),
        events=rate * one.events,
        topics=_at_least_one(rate * one.events / topic_events(one) / _EVEN),
        messages=rate * one.messages,
        queues=max(built.agents, math.ceil(rate * one.messages / azure.QUEUE_MESSAGES.value / _EVEN)),
        accounts=_at_least_one(
            rate * one.messages * requests_a_message() / azure.ACCOUNT_REQUESTS.value / _EVEN
        ),
        tokens_minute=rate * one.tokens * 60,
        quota_minute=rate * one.quota_tokens * 60,
        quotas=_at_least_one(rate * one.quota_tokens * 60 / azure.MODEL_TPM_MOST.value),
    )


def pod_rate(measured: Measured, utilisation: float) -> float:
    """Executions a second of one pod with a processor of its own: by that, or by the calls it may make."""
    return min(utilisation / cpu_seconds(measured), design.POD_CALLS / MODEL_SECONDS)


def cpu_seconds(measured: Measured) -> float:
    """Of an execution, and of the events that lead to others: pods that execute consume, too."""
    return (measured.cpu_ms + EVENTS * LISTENERS * measured.consume_ms) / 1000


def ledger_item_bytes(rate: float, pods: float) -> float:
    """Of the document that counts all agents' tokens: each call under way and each process has a line."""
    lines = rate * MODEL_SECONDS * design.RESERVATION_BYTES + pods * design.WRITER_BYTES
    return design.LEDGER_BASE_BYTES + lines


def ledger_ru(rate: float, pods: float) -> float:
    """RU/s of one shard: each call reserves and settles, but no more writes fit one after another.

    An agent's own account is written with the total; nearly each write follows a read, since another process
    has written in between.
    """
    item = ledger_item_bytes(rate, pods)
    writes = min(2 * rate, 1 / design.LEDGER_WRITE_SECONDS)
    return writes * 2 * (azure.write_ru(item) + (azure.read_ru(item) if pods > 1 else 0))


def topic_events(one: Execution) -> float:
    """Events a second that a topic takes: of this size, bytes may be the limit."""
    return min(azure.TOPIC_EVENTS.value, azure.TOPIC_BYTES.value / one.event_bytes)


def requests_a_message(batch: int = 32) -> float:
    """Put, deleted, and taken with others; a queue under load is always read in full batches."""
    return 2 + 1 / batch


def _pods(rate: float, measured: Measured, built: Design, utilisation: float) -> int:
    """With one zone lost the rest still does it; each agent has two in any case."""
    spare = design.ZONES / (design.ZONES - 1)
    return max(2 * built.agents, math.ceil(rate / pod_rate(measured, utilisation) * spare))


def _nodes(pods: int, measured: Measured) -> int:
    """A pod under load needs a processor, and the memory it was seen with; one node a zone at least."""
    by_cpu = pods / (design.NODE_CPUS * design.NODE_SHARE)
    by_memory = pods * measured.peak_mib / (design.NODE_GIB * 1024 * design.NODE_SHARE)
    return max(design.ZONES, math.ceil(max(by_cpu, by_memory, pods / azure.NODE_PODS.value)))


def _lanes(ru: float, gb: float) -> int:
    """Logical partitions that one agent's documents need."""
    by_ru = ru / (azure.COSMOS_PARTITION_RU.value * _EVEN)
    return _at_least_one(max(by_ru, gb / (azure.COSMOS_PARTITION_GB.value * _EVEN)))


def _at_least_one(value: float) -> int:
    return max(1, math.ceil(value))
