"""What is expected: every right that somebody has, what gives it, and which code needs it.

A row is a role assignment of the stack (or a right in the database). `gives` is what somebody needs, `beside`
what a built-in role brings along. What no row gives is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.live.privileges.cast import IDENTITIES, OPERATOR
from tests.live.privileges.data_planes import AGENTS, CONTAINERS

#: Where a right that is no role assignment comes from.
DATABASE = "database"


@dataclass(frozen=True)
class Grant:
    """`who` has `role` on `scope` (the last two parts of its path) because of `need`."""

    who: str
    role: str
    scope: str
    need: str
    gives: tuple[str, ...]
    beside: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        return self.who, self.role, self.scope

    @property
    def title(self) -> str:
        return f"{self.who}: {self.role} on {self.scope}"

    @property
    def operations(self) -> frozenset[str]:
        return frozenset(self.gives + self.beside)


def _below(plane: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{plane}.{name}" for name in names)


_OPENAI, _TOPIC = "accounts/oai-agents-dev", "topics/topic-agents-dev"
_LETTERS = _below("deadletters", "list", "read", "write", "delete")
_WRITES = ("read", "query", "create", "upsert", "replace")
_KEPT = {
    "Events": "executions, and what is still to be published of them (`app/store`)",
    "Ledger": "the tokens spent, reserved and settled",
}


def _agent(who: str) -> list[Grant]:
    return [
        *(
            Grant(who, "Agent", f"colls/{name}", why, _below(f"cosmos.{name}", *_WRITES))
            for name, why in _KEPT.items()
        ),
        Grant(
            who,
            "Key Vault Secrets User",
            "vaults/kv-agents-dev",
            "third parties' secrets (`app/vault.py`)",
            ("vault.get",),
            ("vault.list",),
        ),
        Grant(
            who,
            "Storage Queue Data Message Processor",
            f"queues/{who}",
            "the events that are delivered to it (`app/events/queue.py`)",
            _below(f"queue.{who}", "get", "delete"),
            _below(f"queue.{who}", "peek"),
        ),
        Grant(
            who,
            "Storage Queue Data Reader",
            f"queues/{who}",
            "how many of them wait, and for how long (`app/events/lag.py`)",
            _below(f"queue.{who}", "properties", "peek"),
        ),
        Grant(
            who,
            "EventGrid Data Sender",
            _TOPIC,
            "the events that it emits (`app/events/topic.py`)",
            ("events.publish",),
            ("arm.topic",),
        ),
        Grant(
            who,
            "Cognitive Services OpenAI User",
            _OPENAI,
            "the model (`app/llm/providers.py`)",
            ("openai.chat",),
            ("arm.openai",),
        ),
        Grant(
            who,
            "Monitoring Metrics Publisher",
            "components/appi-agents-dev",
            "its traces (`app/telemetry`)",
            ("telemetry.write",),
        ),
        Grant(
            who,
            DATABASE,
            "role agents",
            "the record of executions (`app/store/users.py`)",
            _below("sql", "connect", "select", "insert", "update"),
        ),
    ]


_PLATFORM = [
    Grant(
        "migration",
        DATABASE,
        "server's administrator",
        "the schema and the database's users (`app/migrate.py`)",
        _below("sql", "connect", "select", "insert", "update", "delete", "create", "alter", "users"),
    ),
    Grant(
        "cluster", "Network Contributor", "subnets/nodes", "nodes and load balancers in it", ("arm.subnet",)
    ),
    Grant(
        "cluster",
        "Managed Identity Operator",
        "userAssignedIdentities/id-kubelet-agents-dev",
        "nodes that run as the kubelet's identity",
        ("arm.kubelet",),
    ),
    Grant("kubelet", "AcrPull", "registries/acragentsdev", "the pods' images", ("registry.pull",)),
    *(
        Grant(
            "topic",
            "Storage Queue Data Message Sender",
            f"queues/{agent}",
            "delivery of the agent's events",
            (f"queue.{agent}.put",),
        )
        for agent in AGENTS
    ),
    # Event Grid asks for this role, and a blob container has no narrower one that writes.
    # https://learn.microsoft.com/azure/event-grid/managed-service-identity
    Grant(
        "topic",
        "Storage Blob Data Contributor",
        "containers/dead-letters",
        "events that cannot be delivered",
        ("deadletters.write",),
        ("deadletters.list", "deadletters.read", "deadletters.delete", "arm.container"),
    ),
    Grant("grafana", "Monitoring Data Reader", "accounts/amw-agents-dev", "dashboards", ("metrics.query",)),
]
_OPERATOR = [
    Grant(
        OPERATOR,
        "Cosmos DB Built-in Data Contributor",
        "dbs/AgentsDB",
        "repairs of data",
        tuple(f"cosmos.{name}.{kind}" for name in CONTAINERS for kind in (*_WRITES, "delete")),
    ),
    Grant(
        OPERATOR,
        "Key Vault Secrets Officer",
        "vaults/kv-agents-dev",
        "rotation of secrets",
        _below("vault", "get", "list", "set", "delete"),
        ("arm.vault",),
    ),
    Grant(
        OPERATOR,
        "Storage Blob Data Reader",
        "containers/dead-letters",
        "replay of dead letters",
        ("deadletters.list", "deadletters.read"),
        ("arm.container",),
    ),
    Grant(
        OPERATOR,
        "EventGrid Data Sender",
        _TOPIC,
        "replay of dead letters",
        ("events.publish",),
        ("arm.topic",),
    ),
    Grant(
        OPERATOR,
        "Cognitive Services OpenAI User",
        _OPENAI,
        "checks of the model by hand",
        ("openai.chat", "arm.openai"),
    ),
    Grant(
        OPERATOR,
        "AcrPush",
        "registries/acragentsdev",
        "building and pushing images",
        ("registry.push", "registry.pull"),
    ),
    Grant(
        OPERATOR,
        "Azure Kubernetes Service RBAC Cluster Admin",
        "managedClusters/aks-agents-dev",
        "the workload: who deploys applies it with this",
        ("kubernetes.secrets", "kubernetes.pods"),
        ("arm.kubeconfig",),
    ),
    Grant(
        OPERATOR,
        "Azure Kubernetes Service Cluster User Role",
        "managedClusters/aks-agents-dev",
        "`az aks show` and `az aks get-credentials`",
        ("arm.cluster", "arm.kubeconfig"),
    ),
    Grant(
        OPERATOR,
        "Log Analytics Data Reader",
        "workspaces/log-agents-dev",
        "questions to logs",
        ("logs.query", "arm.workspace"),
    ),
    Grant(
        OPERATOR,
        "Monitoring Reader",
        "components/appi-agents-dev",
        "questions to traces",
        ("arm.insights",),
    ),
    Grant(
        OPERATOR,
        "Monitoring Data Reader",
        "accounts/amw-agents-dev",
        "questions to metrics",
        ("metrics.query",),
    ),
    Grant(OPERATOR, "Grafana Admin", "grafana/amg-agents-dev", "dashboards", ("grafana.admin",)),
]
GRANTS: tuple[Grant, ...] = (*(grant for agent in AGENTS for grant in _agent(agent)), *_PLATFORM, *_OPERATOR)
ASSIGNMENTS = tuple(grant for grant in GRANTS if grant.role != DATABASE)


def expected() -> Mapping[str, frozenset[str]]:
    """What each identity may do."""
    return {who: _given(grant for grant in GRANTS if grant.who == who) for who in IDENTITIES}


def alone(grant: Grant) -> frozenset[str]:
    """What its holder may do because of this one only, and therefore loses with it."""
    others = (other for other in GRANTS if other.who == grant.who and other is not grant)
    return grant.operations - _given(others)


def watched(grant: Grant) -> frozenset[str]:
    """What is tried while it is gone: all that it gives, and of each of its holder's others one operation."""
    others = (other for other in ASSIGNMENTS if other.who == grant.who and other is not grant)
    return grant.operations | {other.gives[0] for other in others}


def _given(grants: Iterable[Grant]) -> frozenset[str]:
    return frozenset(name for grant in grants for name in grant.operations)
