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
        self.account = self._account(name)
        self._keep_what_is_deleted(name)
        self.queues = {agent.key: self._queue(agent.key) for agent in args.agents}
        self.dead_letters = self._dead_letters()
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

    def _account(self, name: str) -> storage.StorageAccount:
        args, place = self._args, self._args.place
        return storage.StorageAccount(
            name,
            account_name=args.account,
            resource_group_name=place.resource_group,
            location=place.location,
            kind=storage.Kind.STORAGE_V2,
            sku=storage.SkuArgs(name=replication(place)),
            access_tier=storage.AccessTier.HOT,
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            allow_shared_key_access=False,
            default_to_o_auth_authentication=True,
            enable_https_traffic_only=True,
            is_local_user_enabled=False,
            minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
            encryption=storage.EncryptionArgs(
                key_source=storage.KeySource.MICROSOFT_STORAGE, require_infrastructure_encryption=True
            ),
            public_network_access=args.exposure.public_network_access,
            network_rule_set=storage.NetworkRuleSetArgs(
                # Event Grid comes from outside the network, with its own identity.
                # https://learn.microsoft.com/azure/event-grid/handler-storage-queues
                bypass=storage.Bypass.AZURE_SERVICES,
                default_action=storage.DefaultAction(args.exposure.default_action),
                ip_rules=[
                    storage.IPRuleArgs(i_p_address_or_range=address, action=storage.Action.ALLOW)
                    for address in args.exposure.addresses
                ],
            ),
            tags=place.tags,
            opts=place.stateful(self),
        )

    def _keep_what_is_deleted(self, name: str) -> None:
        kept = storage.DeleteRetentionPolicyArgs(enabled=True, days=self._args.settings.soft_delete_days)
        storage.BlobServiceProperties(
            name,
            blob_services_name="default",
            account_name=self.account.name,
            resource_group_name=self._args.place.resource_group,
            is_versioning_enabled=True,
            change_feed=storage.ChangeFeedArgs(
                enabled=True, retention_in_days=self._args.settings.soft_delete_days
            ),
            delete_retention_policy=kept,
            container_delete_retention_policy=kept,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _queue(self, agent: str) -> storage.Queue:
        """What waits in it stays when its agent leaves the settings, also in dev."""
        return storage.Queue(
            agent,
            queue_name=agent,
            account_name=self.account.name,
            resource_group_name=self._args.place.resource_group,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )

    def _dead_letters(self) -> storage.BlobContainer:
        place = self._args.place
        container = storage.BlobContainer(
            DEAD_LETTERS,
            container_name=DEAD_LETTERS,
            account_name=self.account.name,
            resource_group_name=place.resource_group,
            public_access=storage.PublicAccess.NONE,
            opts=place.stateful(self),
        )
        # Not locked: a locked policy can never be shortened, nor its container deleted before its time.
        storage.BlobContainerImmutabilityPolicy(
            DEAD_LETTERS,
            immutability_policy_name="default",
            container_name=container.name,
            account_name=self.account.name,
            resource_group_name=place.resource_group,
            immutability_period_since_creation_in_days=self._args.settings.dead_letter_days,
            allow_protected_append_writes=False,
            # It goes with its container: Azure deletes it alone only for who names its current ETag.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        return container

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


def replication(place: Place) -> storage.SkuName:
    """How many copies there are, and where; Azure itself chooses the other region."""
    match (place.zonal, place.paired is not None):
        case (True, True):
            return storage.SkuName.STANDARD_GZRS
        case (False, True):
            return storage.SkuName.STANDARD_GRS
        case (True, False):
            return storage.SkuName.STANDARD_ZRS
        case _:
            return storage.SkuName.STANDARD_LRS
