"""What is built today, as far as it bounds how much can be done: prod's settings, and how data is cut."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app.settings import LimitSettings
from benchmarks.load.environments import ROOT

#: Processors and GiB of the nodes that prod's agents run on, and the share of them that pods may have.
NODE_CPUS, NODE_GIB = 8, 32
NODE_SHARE = 0.85
#: Regions that the account of Cosmos DB is in: each is paid for.
COSMOS_REGIONS = 2
#: Zones; the others carry the load of one that is lost.
ZONES = 3
#: Calls of one provider that a pod has under way at most.
POD_CALLS = LimitSettings().concurrency
#: Of the token ledger: an account without reservations, a reservation, a process's last write, in bytes.
LEDGER_BASE_BYTES, RESERVATION_BYTES, WRITER_BYTES = 300, 90, 30
#: How long a conditional write to the ledger takes, and a read, in a region.
LEDGER_WRITE_SECONDS, LEDGER_READ_SECONDS = 0.010, 0.005
#: How long a call waits for the ledger before it is refused.
LEDGER_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Design:
    """Settings of one environment. `daily_tokens` and `most_pods` are of all agents together."""

    agents: int
    daily_tokens: int
    most_pods: int
    most_nodes: int
    cosmos_ru: int
    retention_days: int
    sql_vcores: int
    sql_gb: int
    quota_tpm: int


def read(file: Path = ROOT / "Pulumi.prod.yaml") -> Design:
    """Of an environment's settings file; what it leaves to a default is not asked for here."""
    config: dict[str, Any] = yaml.safe_load(file.read_text())["config"]
    agents = config["agents:agents"].values()
    return Design(
        agents=len(agents),
        daily_tokens=sum(agent["daily_tokens"] for agent in agents),
        most_pods=sum(agent["max_replicas"] for agent in agents),
        most_nodes=config["agents:cluster"]["user"]["maximum"],
        cosmos_ru=config["agents:cosmos"]["throughput"],
        retention_days=config["agents:cosmos"]["events_days"],
        sql_vcores=int(config["agents:sql"]["sku"].rpartition("_")[2]),
        sql_gb=config["agents:sql"]["max_size_gb"],
        # The service counts a deployment's capacity in thousands of tokens a minute.
        quota_tpm=config["agents:model"]["capacity"] * 1000,
    )
