"""Storage: a queue of events for each agent, and the events that could not be delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage

from infra.azure.diagnostics import diagnose
from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.roles import Grantee, Role, grant
from infra.azure.storage_account import AccountArgs, account, immutable_container
from infra.settings.sections import StorageSettings

DEAD_LETTERS = "dead-letters"


@dataclass(frozen=True)
class StorageArgs:
    """`agents` each get a queue of the same name; `operators` may read dead letters, to replay them."""

    account: str
    place: Place
    settings: StorageSettings
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    agents: Sequence[Grantee]
    operators: Sequence[Grantee]


class Storage(pulumi.ComponentResource):
    """One account that takes Entra tokens only. `queues` by agent; `dead_letters` cannot be tampered with."""

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Storage", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        days = args.settings.soft_delete_days
        self.account = account(name, AccountArgs(args.account, args.place, args.exposure, days), self)
        self.queues = {agent.key: self._queue(agent.key) for agent in args.agents}
        self.dead_letters = immutable_container(
            DEAD_LETTERS, self.account, args.place, args.settings.dead_letter_days, self
        )
        for agent in args.agents:
            grant(
                "consume",
                Role.STORAGE_QUEUE_DATA_MESSAGE_PROCESSOR,
                [agent],
                self.queues[agent.key].id,
                child,
            )
            # How many messages wait is a property of the queue, which the processor's role does not read.
            grant("measure", Role.STORAGE_QUEUE_DATA_READER, [agent], self.queues[agent.key].id, child)
        grant("dead-letters", Role.STORAGE_BLOB_DATA_READER, args.operators, self.dead_letters.id, child)
        self._connect(name)
        self._diagnose(name)
        self.data = {"dead-letters": self.dead_letters.id}
        self.blob_endpoint = self.account.primary_endpoints.blob
        self.queue_endpoint = self.account.primary_endpoints.queue
        self.register_outputs({"queueEndpoint": self.queue_endpoint})

    def _queue(self, agent: str) -> storage.Queue:
        """What waits in it stays when its agent leaves the settings, also in dev."""
        return storage.Queue(
            agent,
            queue_name=agent,
            account_name=self.account.name,
            resource_group_name=self._args.place.resource_group,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )

    def _connect(self, name: str) -> None:
        args, child = self._args, pulumi.ResourceOptions(parent=self)
        for service in (Service.BLOB, Service.QUEUE):
            args.exposure.connect(f"{name}-{service.value}", args.place, service, self.account.id, child)

    def _diagnose(self, name: str) -> None:
        """Who read and wrote what; capacity and transactions."""
        child = pulumi.ResourceOptions(parent=self)
        for service in ("blob", "queue"):
            target = pulumi.Output.concat(self.account.id, f"/{service}Services/default")
            diagnose(f"{name}-{service}", target, self._args.workspace_id, child)
