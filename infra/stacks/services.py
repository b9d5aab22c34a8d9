"""The services that every stack with agents has for itself, and the cluster that the agents run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from infra.azure.cluster import Cluster, ClusterArgs
from infra.azure.events import Events, EventsArgs
from infra.azure.openai import OpenAI, OpenAIArgs
from infra.azure.roles import Grantee
from infra.azure.storage import Storage, StorageArgs
from infra.azure.vault import Vault, VaultArgs
from infra.stacks.ground import Ground
from infra.workload.dependencies import Dependencies, SqlDatabase
from infra.workload.prompts import listens

Prompts = Mapping[str, dict[str, str]]


@dataclass(frozen=True)
class Services:
    vault: Vault
    storage: Storage
    events: Events
    openai: OpenAI
    cluster: Cluster

    @property
    def ready(self) -> list[pulumi.Resource]:
        """What must be there before a pod starts."""
        return [self.storage, self.events, self.openai, self.vault, self.cluster.user_pool]


def provide(ground: Ground, prompts: Prompts, publishers: Sequence[Grantee] = ()) -> Services:
    """`publishers` publish events beside agents and operators."""
    settings, names, place = ground.settings, ground.names, ground.place
    vault = Vault(
        "vault",
        VaultArgs(
            name=names.vault,
            place=place,
            settings=settings.vault,
            exposure=ground.exposure,
            workspace_id=ground.workspace,
            readers=ground.agents,
            officers=ground.operators,
            secrets={"pagerduty-url": settings.alerts.pagerduty, "teams-url": settings.alerts.teams},
        ),
    )
    storage = Storage(
        "storage",
        StorageArgs(
            account=names.storage,
            place=place,
            settings=settings.storage,
            exposure=ground.exposure,
            workspace_id=ground.workspace,
            agents=ground.agents,
            operators=ground.operators,
        ),
    )
    events = Events(
        "events",
        EventsArgs(
            topic=names.topic,
            place=place,
            settings=settings.events,
            exposure=ground.exposure,
            workspace_id=ground.workspace,
            storage=storage,
            agents=ground.agents,
            operators=[*ground.operators, *publishers],
            listens={agent: listens(files) for agent, files in prompts.items()},
        ),
    )
    openai = OpenAI(
        "openai",
        OpenAIArgs(
            account=names.openai,
            backup_account=names.openai_backup,
            place=place,
            model=settings.model,
            exposure=ground.exposure,
            workspace_id=ground.workspace,
            users=[*ground.agents, *ground.operators],
        ),
    )
    cluster = Cluster(
        "cluster",
        ClusterArgs(
            place=place,
            names=names,
            settings=settings.cluster,
            network=settings.network,
            subnet_id=ground.network.nodes_subnet_id,
            egress_address=ground.network.egress_address,
            workspace_id=ground.workspace,
            control_plane=ground.control_plane,
            kubelet=ground.kubelet,
            admins=ground.operators,
        ),
    )
    return Services(vault, storage, events, openai, cluster)


def dependencies_of(
    ground: Ground, services: Services, cosmos: pulumi.Input[str], sql: SqlDatabase
) -> Dependencies:
    """`cosmos` is the account's endpoint."""
    settings, openai, storage = ground.settings, services.openai, services.storage
    return Dependencies(
        cosmos_endpoint=cosmos,
        openai_endpoint=openai.endpoint,
        openai_deployment=openai.deployment_name,
        openai_effort=settings.model.effort,
        openai_thought=settings.model.thought,
        openai_backup_endpoint=openai.backup_endpoint,
        vault_uri=services.vault.uri,
        sql=sql,
        events_endpoint=services.events.endpoint,
        queue_endpoint=storage.queue_endpoint,
        queues={agent: queue.name for agent, queue in storage.queues.items()},
        insights=ground.telemetry.connection_string,
        daily_tokens={agent: wanted.daily_tokens for agent, wanted in settings.agents.items()},
        total_tokens=settings.daily_tokens,
    )
