"""How much of the cluster the agents' namespace may take: all that its autoscalers may ask for, and no more.

Plain arithmetic, in thousandths of a CPU and MiB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra.settings.sections import AgentSettings

#: Pods beyond the wanted number during an update, as the deployments have it.
SURGE = 1
_QUANTITY = re.compile(r"^(?P<number>\d+(\.\d+)?)(?P<unit>m|Mi|Gi)?$")


def millis(cpu: str) -> int:
    """`250m` -> 250, `1.5` -> 1500."""
    number, unit = _parts(cpu)
    return round(number) if unit == "m" else round(number * 1000)


def mebibytes(memory: str) -> int:
    """`256Mi` -> 256, `2Gi` -> 2048."""
    number, unit = _parts(memory)
    return round(number) * (1024 if unit == "Gi" else 1)


def _parts(quantity: str) -> tuple[float, str | None]:
    match = _QUANTITY.match(quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a quantity such as 250m, 1.5, 256Mi or 2Gi")
    return float(match["number"]), match["unit"]


@dataclass(frozen=True)
class Size:
    """What one pod requests, and the memory that it may not exceed."""

    cpu: int
    memory: int
    memory_limit: int

    @classmethod
    def of(cls, agent: AgentSettings) -> Size:
        return cls(millis(agent.cpu), mebibytes(agent.memory), mebibytes(agent.memory_limit))


MIGRATION = Size(cpu=100, memory=128, memory_limit=256)
REPUBLISHING = Size(cpu=100, memory=128, memory_limit=256)
#: What brings copied secrets back.
RESTORATION = Size(cpu=100, memory=128, memory_limit=256)
#: What copies secrets and dead letters, in a namespace of its own.
BACKUP = Size(cpu=20, memory=128, memory_limit=256)
# What cert-manager gives the pod that answers an ACME challenge.
# https://cert-manager.io/docs/cli/controller (acme-http01-solver-resource-…)
ACME_SOLVER = Size(cpu=10, memory=64, memory_limit=64)
#: Pods beside the agents': a migration and the one before it that has not ended, likewise republishing
#: and restoring secrets, a challenge and its renewal.
BESIDE = ((MIGRATION, 2), (REPUBLISHING, 2), (RESTORATION, 2), (ACME_SOLVER, 2))


def pods(agent: AgentSettings) -> int:
    """The most pods of an agent that can exist at once.

    An update of all `max_replicas` starts new pods as fast as they become ready, while the old ones still
    finish their requests; those count until they are gone.
    """
    return 2 * agent.max_replicas + SURGE


@dataclass(frozen=True)
class Quota:
    cpu: int
    memory: int
    memory_limit: int
    pods: int

    @classmethod
    def for_agents(cls, agents: Iterable[AgentSettings]) -> Quota:
        return cls.of([*((Size.of(agent), pods(agent)) for agent in agents), *BESIDE])

    @classmethod
    def of(cls, wanted: Sequence[tuple[Size, int]]) -> Quota:
        """Room for so many pods of each size."""
        return cls(
            cpu=sum(size.cpu * count for size, count in wanted),
            memory=sum(size.memory * count for size, count in wanted),
            memory_limit=sum(size.memory_limit * count for size, count in wanted),
            pods=sum(count for _, count in wanted),
        )

    def hard(self) -> dict[str, str]:
        """As a ResourceQuota has it. Nothing here is reached from outside but through the ingress."""
        return {
            "requests.cpu": f"{self.cpu}m",
            "requests.memory": f"{self.memory}Mi",
            "limits.memory": f"{self.memory_limit}Mi",
            "pods": str(self.pods),
            "persistentvolumeclaims": "0",
            "services.loadbalancers": "0",
            "services.nodeports": "0",
        }
