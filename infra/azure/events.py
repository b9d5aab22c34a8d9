"""Event Grid: the topic that agents publish to, and the way of each agent's events into its queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import eventgrid

from infra.azure.diagnostics import diagnose
from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.roles import Grantee, Role, grant
from infra.azure.storage import DEAD_LETTERS, Storage
from infra.naming import subscription
from infra.settings.sections import EventSettings

# Not the seven days that Azure would take: no event vanishes because an agent was away for long.
_FOREVER = -1
_OWN_IDENTITY = eventgrid.EventSubscriptionIdentityArgs(
    type=eventgrid.EventSubscriptionIdentityType.SYSTEM_ASSIGNED
)


@dataclass(frozen=True)
class EventsArgs:
    """`listens`: the event types that an agent wants.

    An agent without any gets what is addressed to it, by subjects below `/agents/<agent>/`. `storage` has its
    queue and the dead letters. `agents` and `operators` (who replay) publish.
    """

    topic: str
    place: Place
    settings: EventSettings
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    storage: Storage
    agents: Sequence[Grantee]
    operators: Sequence[Grantee]
    listens: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Events(pulumi.ComponentResource):
    """A topic of CloudEvents, delivered with the topic's own identity.

    It may send to the agents' queues and write dead letters, and nothing else.
    """

    def __init__(self, name: str, args: EventsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Events", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        self.topic = self._topic(name)
        topic = Grantee("topic", self.topic.identity.apply(_principal))
        may_bury = grant(
            "bury", Role.STORAGE_BLOB_DATA_CONTRIBUTOR, [topic], args.storage.dead_letters.id, child
        )
        for agent in args.agents:
            queue = args.storage.queues[agent.key]
            may_send = grant(
                f"send-{agent.key}", Role.STORAGE_QUEUE_DATA_MESSAGE_SENDER, [topic], queue.id, child
            )
            self._subscription(agent.key, [*may_bury, *may_send])
        publishers = [*args.agents, *args.operators]
        grant("publish", Role.EVENTGRID_DATA_SENDER, publishers, self.topic.id, child)
        args.exposure.connect(name, args.place, Service.EVENTS, self.topic.id, child)
        diagnose(name, self.topic.id, args.workspace_id, child)
        self.endpoint = self.topic.endpoint
        self.register_outputs({"endpoint": self.endpoint})

    def _topic(self, name: str) -> eventgrid.Topic:
        args = self._args
        return eventgrid.Topic(
            name,
            topic_name=args.topic,
            resource_group_name=args.place.resource_group,
            location=args.place.location,
            identity=eventgrid.IdentityInfoArgs(type=eventgrid.IdentityType.SYSTEM_ASSIGNED),
            input_schema=eventgrid.InputSchema.CLOUD_EVENT_SCHEMA_V1_0,
            disable_local_auth=True,
            minimum_tls_version_allowed=eventgrid.TlsVersion.TLS_VERSION_1_2,
            # Azure keeps the topic's metadata, not its events, in the paired region too.
            data_residency_boundary=eventgrid.DataResidencyBoundary.WITHIN_GEOPAIR,
            public_network_access=args.exposure.public_network_access,
            inbound_ip_rules=[
                eventgrid.InboundIpRuleArgs(ip_mask=address, action=eventgrid.IpActionType.ALLOW)
                for address in args.exposure.addresses
            ],
            tags=args.place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _subscription(self, agent: str, allowed: Sequence[pulumi.Resource]) -> None:
        """Azure tries the way when the subscription is made, so the roles come first."""
        args, account = self._args, self._args.storage.account
        # By scope, which is what `az eventgrid event-subscription` and the portal show.
        eventgrid.EventSubscription(
            agent,
            event_subscription_name=subscription(agent),
            scope=self.topic.id,
            event_delivery_schema=eventgrid.EventDeliverySchema.CLOUD_EVENT_SCHEMA_V1_0,
            filter=self._filter(agent),
            delivery_with_resource_identity=eventgrid.DeliveryWithResourceIdentityArgs(
                identity=_OWN_IDENTITY,
                destination=eventgrid.StorageQueueEventSubscriptionDestinationArgs(
                    endpoint_type="StorageQueue",
                    resource_id=account.id,
                    queue_name=args.storage.queues[agent].name,
                    queue_message_time_to_live_in_seconds=_FOREVER,
                ),
            ),
            dead_letter_with_resource_identity=eventgrid.DeadLetterWithResourceIdentityArgs(
                identity=_OWN_IDENTITY,
                dead_letter_destination=eventgrid.StorageBlobDeadLetterDestinationArgs(
                    endpoint_type="StorageBlob", resource_id=account.id, blob_container_name=DEAD_LETTERS
                ),
            ),
            retry_policy=eventgrid.RetryPolicyArgs(
                max_delivery_attempts=args.settings.attempts,
                event_time_to_live_in_minutes=args.settings.minutes,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(allowed)),
        )

    def _filter(self, agent: str) -> eventgrid.EventSubscriptionFilterArgs:
        types = list(self._args.listens.get(agent, ()))
        if types:
            return eventgrid.EventSubscriptionFilterArgs(included_event_types=types)
        return eventgrid.EventSubscriptionFilterArgs(
            subject_begins_with=f"/agents/{agent}/", is_subject_case_sensitive=True
        )


def _principal(identity: eventgrid.outputs.IdentityInfoResponse | None) -> str:
    # Azure answers the identity that was asked for, with the principal it made.
    return (identity.principal_id if identity else None) or ""
