"""Azure's limits and prices, each with where it is said and when that was last looked at.

`seen` is None for a figure that was not looked up again when this was written: check it before relying on it.
Prices are list prices in US dollars, pay as you go, in East US; West Europe is a tenth to a quarter dearer.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

_SEEN = "2026-11-28"
_LEARN = "https://learn.microsoft.com/azure"
_PRICES = "https://azure.microsoft.com/pricing/details"


@dataclass(frozen=True)
class Figure:
    value: float
    unit: str
    source: str
    seen: str | None = None


def _said(value: float, unit: str, page: str) -> Figure:
    return Figure(value, unit, f"{_LEARN}/{page}", _SEEN)


def _remembered(value: float, unit: str, source: str) -> Figure:
    return Figure(value, unit, source)


# Cosmos DB
COSMOS_PARTITION_RU = _said(10_000, "RU/s of a partition, logical or physical", "cosmos-db/concepts-limits")
COSMOS_PARTITION_GB = _said(20, "GB of a logical partition", "cosmos-db/concepts-limits")
COSMOS_PHYSICAL_GB = _remembered(
    50, "GB of a physical partition", f"{_LEARN}/cosmos-db/partitioning-overview"
)
COSMOS_CONTAINER_RU = _said(1_000_000, "RU/s of a container, more on request", "cosmos-db/concepts-limits")
COSMOS_ITEM_BYTES = _remembered(2 * 2**20, "bytes of an item", f"{_LEARN}/cosmos-db/concepts-limits")
#: (KiB, RU of a point read, RU of a write).
COSMOS_CHARGES: tuple[tuple[float, float, float], ...] = (
    (1, 1.00, 4.95),
    (2, 1.04, 6.29),
    (4, 1.14, 6.67),
    (8, 1.33, 7.04),
    (16, 1.67, 9.52),
    (32, 2.19, 11.23),
    (64, 4.76, 22.67),
    (128, 9.95, 48.19),
    (256, 20.28, 98.29),
    (512, 40.95, 184.57),
    (1024, 145.90, 625.00),
    (2048, 291.80, 1250.00),
)
COSMOS_CHARGES_SOURCE = _said(
    len(COSMOS_CHARGES), "charges by size of item", "cosmos-db/understand-request-unit-consumption"
)

# Event Grid and Storage queues
TOPIC_EVENTS = _said(5_000, "events/s into a custom topic", "event-grid/quotas-limits")
TOPIC_BYTES = _said(5_000_000, "bytes/s into a custom topic", "event-grid/quotas-limits")
QUEUE_MESSAGES = _said(2_000, "messages/s of a queue", "storage/queues/scalability-targets")
ACCOUNT_REQUESTS = _said(20_000, "queue requests/s of an account", "storage/queues/scalability-targets")

# Azure OpenAI, gpt-5.4-mini, Global Standard; by subscription and region. A request comes with each thousand
# tokens, which is less than any execution's prompt and answer: tokens are what runs out.
_QUOTAS = f"{_LEARN}/foundry/openai/quotas-limits"
MODEL_TPM = Figure(1_000_000, "tokens a minute, quota tier 1", _QUOTAS, "2026-08-20")
MODEL_TPM_MOST = Figure(15_000_000, "tokens a minute, quota tier 6", _QUOTAS, "2026-02-18")

# Azure SQL
_SQL = "azure-sql/database/resource-limits-vcore-single-databases"
SQL_LOG_MBPS = _said(4.5, "MB/s of log for a vCore, General Purpose", _SQL)
SQL_MOST_LOG_MBPS = _remembered(50, "MB/s of log at most, General Purpose", f"{_LEARN}/{_SQL}")
SQL_HYPERSCALE_LOG_MBPS = _remembered(
    100, "MB/s of log, Hyperscale", f"{_LEARN}/azure-sql/database/service-tier-hyperscale"
)

# AKS
_AKS = f"{_LEARN}/aks/quotas-skus-regions"
CLUSTER_NODES = _remembered(5_000, "nodes of a cluster", _AKS)
NODE_PODS = _remembered(250, "pods of a node, CNI overlay", _AKS)

# Prices
NODE_HOUR = _remembered(0.412, "$ an hour, Standard_D8ads_v5", f"{_PRICES}/virtual-machines/linux/")
CLUSTER_HOUR = _remembered(0.10, "$ an hour, AKS Standard tier", f"{_PRICES}/kubernetes-service/")
COSMOS_RU_HOUR = _remembered(
    0.012, "$ an hour for 100 RU/s, autoscale", f"{_PRICES}/cosmos-db/autoscale-provisioned/"
)
COSMOS_GB_MONTH = _remembered(0.25, "$ a month for a GB", f"{_PRICES}/cosmos-db/autoscale-provisioned/")
SQL_VCORE_HOUR = _remembered(
    0.2529, "$ an hour for a vCore, General Purpose", f"{_PRICES}/azure-sql-database/single/"
)
SQL_GB_MONTH = _remembered(
    0.115, "$ a month for a GB, General Purpose", f"{_PRICES}/azure-sql-database/single/"
)
EVENT_MILLION = _remembered(0.60, "$ for a million operations", f"{_PRICES}/event-grid/")
QUEUE_TEN_THOUSAND = _remembered(0.004, "$ for 10,000 operations", f"{_PRICES}/storage/queues/")
# Of meters "5.4 mini Inp Gl 1M Tokens" and "5.4 mini Opt Gl 1M Tokens". What is thought is paid as answered.
_RETAIL = "https://prices.azure.com/api/retail/prices?$filter=contains(meterName,%275.4%20mini%27)"
TOKENS_ASKED = Figure(0.75, "$ for a million tokens asked, gpt-5.4-mini", _RETAIL, "2026-09-19")
TOKENS_ANSWERED = Figure(4.50, "$ for a million tokens answered, gpt-5.4-mini", _RETAIL, "2026-09-19")
TELEMETRY_GB = _remembered(2.30, "$ for a GB taken in, Log Analytics", f"{_PRICES}/monitor/")


def figures() -> dict[str, Figure]:
    """Every figure by its name here, in the order of this file."""
    return {name: value for name, value in globals().items() if isinstance(value, Figure)}


def read_ru(size: float) -> float:
    """RU of a point read of `size` bytes."""
    return _charge(size, 1)


def write_ru(size: float) -> float:
    """RU of writing an item of `size` bytes; what an index adds is not counted."""
    return _charge(size, 2)


def _charge(size: float, column: int) -> float:
    """Between two sizes of the table on a line; beyond it as its last two go on."""
    kib = size / 1024
    sizes = [row[0] for row in COSMOS_CHARGES]
    if kib <= sizes[0]:
        return COSMOS_CHARGES[0][column]
    index = min(bisect.bisect_left(sizes, kib), len(sizes) - 1)
    low, high = COSMOS_CHARGES[index - 1], COSMOS_CHARGES[index]
    share = (kib - low[0]) / (high[0] - low[0])
    return low[column] + share * (high[column] - low[column])
