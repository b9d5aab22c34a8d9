"""Where what is built today ends: for each limit the executions a second at which it is reached.

A setting is raised in the stack's settings; a limit of the design needs the design changed, as `remedy` says.
A limit that fills up with time is reached `within_days`; the rate is the one that fills it in just that time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.scale import azure, capacity, design
from benchmarks.scale.design import Design
from benchmarks.scale.measured import Measured
from benchmarks.scale.workload import MODEL_SECONDS, Execution

_DAY = 86_400
_YEAR_DAYS = 365


@dataclass(frozen=True)
class Limit:
    name: str
    kind: Literal["setting", "design"]
    rate: float
    remedy: str


def limits(
    measured: Measured, one: Execution, built: Design, *, utilisation: float, ledger_pods: int
) -> list[Limit]:
    """The first that binds first."""
    pod = capacity.pod_rate(measured, utilisation)
    per_agent = float(built.agents)
    found = [
        Limit(
            "daily token budget of all agents",
            "setting",
            built.daily_tokens / one.tokens / _DAY,
            "`daily_tokens`: what may be spent is decided, not computed",
        ),
        Limit(
            "tokens a minute of the model's deployment",
            "setting",
            built.quota_tpm / 60 / one.quota_tokens,
            "`model.capacity` up to the subscription's quota; lower `max_tokens`, which counts whole",
        ),
        Limit(
            "model quota of a subscription in a region, tier 6",
            "design",
            azure.MODEL_TPM_MOST.value / 60 / one.quota_tokens,
            "more providers in the router: each region and subscription has a quota; provisioned throughput",
        ),
        Limit(
            "RU/s of container Events",
            "setting",
            built.cosmos_ru / one.cosmos_ru,
            "`cosmos.throughput`",
        ),
        Limit(
            "RU/s of an agent's logical partition",
            "design",
            azure.COSMOS_PARTITION_RU.value / one.cosmos_ru * per_agent,
            "lanes: the partition key becomes agent and lane, the lane a hash of the execution's cause",
        ),
        Limit(
            f"20 GB of an agent's logical partition, kept {built.retention_days} days",
            "design",
            azure.COSMOS_PARTITION_GB.value
            * 1e9
            * per_agent
            / (one.cosmos_bytes * _DAY * built.retention_days),
            "lanes with the month in the key: no lane grows for longer; or fewer `events_days`",
        ),
        Limit(
            "RU/s of the ledger's day, one logical partition",
            "design",
            _last(lambda rate: capacity.ledger_ru(rate, rate / pod) <= azure.COSMOS_PARTITION_RU.value),
            "shards of the total, each with its part of the budget",
        ),
        Limit(
            "processes that write the ledger's total one after another",
            "design",
            ledger_pods * pod,
            "shards; or a process reserves a block of tokens for many calls at once",
        ),
        Limit(
            "2 MB of the ledger's total",
            "design",
            _last(lambda rate: capacity.ledger_item_bytes(rate, rate / pod) <= azure.COSMOS_ITEM_BYTES.value),
            "blocks of tokens: one line a process instead of one a call",
        ),
        Limit("pods", "setting", built.most_pods * pod, "`max_replicas`"),
        Limit(
            "nodes",
            "setting",
            built.most_nodes * design.NODE_CPUS * design.NODE_SHARE * pod,
            "`cluster.user.maximum`, then larger nodes",
        ),
        Limit(
            "SQL log",
            "setting",
            built.sql_vcores * azure.SQL_LOG_MBPS.value * 1e6 / one.sql_log_bytes,
            "`sql.sku`: more vCores, up to 50 MB/s; Hyperscale beyond",
        ),
        Limit(
            "size of the SQL database within a year",
            "setting",
            built.sql_gb * 1e9 / (one.sql_bytes * _DAY * _YEAR_DAYS),
            "`sql.max_size_gb`; partitions by month, of which old ones are dropped",
        ),
        Limit(
            "a topic's events",
            "design",
            capacity.topic_events(one) / one.events,
            "a topic for each lane",
        ),
        Limit(
            "messages of an agent's queue",
            "design",
            azure.QUEUE_MESSAGES.value / one.messages * per_agent,
            "a queue for each lane, filled by filters on the subject",
        ),
        Limit(
            "requests of the storage account",
            "design",
            azure.ACCOUNT_REQUESTS.value / capacity.requests_a_message() / one.messages,
            "an account for each group of lanes",
        ),
        Limit(
            "calls that a pod has under way",
            "setting",
            built.most_pods * design.POD_CALLS / MODEL_SECONDS,
            "`LLMProvider__Limits__Concurrency`, or more pods",
        ),
    ]
    return sorted(found, key=lambda limit: limit.rate)


def _last(fits: Callable[[float], bool], most: float = 1e7) -> float:
    """The largest rate that fits, to a thousandth, where what is needed grows with the rate."""
    low, high = 0.0, most
    while high - low > max(low, 1.0) / 1000:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
