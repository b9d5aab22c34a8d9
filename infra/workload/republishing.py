"""Publishing again what nobody has acted upon: a Job, for after a region's topic and queues were lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pulumi

from infra.azure.identity import Identity
from infra.naming import REPUBLISHER
from infra.settings.restores import written
from infra.workload.jobs import Run, Setting, declare
from infra.workload.policies import Reach
from infra.workload.quota import REPUBLISHING


@dataclass(frozen=True)
class Republish:
    """`since` when; None for all that the outbox still has. `rights` are what the identity was granted."""

    identity: Identity
    since: datetime | None
    listeners: Mapping[str, Sequence[str]]
    rights: Sequence[pulumi.Resource] = field(default_factory=tuple)


@dataclass(frozen=True)
class RepublishingArgs:
    """`environment` says where the events are kept and published, as agents are told it."""

    namespace: str
    image: pulumi.Input[str]
    version: str
    oidc_issuer: pulumi.Input[str]
    wanted: Republish
    environment: Mapping[str, pulumi.Input[str]]
    reach: Reach


class Republishing(pulumi.ComponentResource):
    """Runs once for each image and moment; what was consumed meanwhile is not published a second time."""

    def __init__(self, name: str, args: RepublishingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Republishing", name, None, opts)
        wanted = args.wanted
        since = [] if wanted.since is None else ["--since", written(wanted.since)]
        listeners = {agent: list(types) for agent, types in wanted.listeners.items()}
        run = Run(
            name=REPUBLISHER,
            image=args.image,
            version=args.version,
            module="app.republish",
            arguments=since,
            environment={**args.environment, "Republish__Listeners": json.dumps(listeners)},
            size=REPUBLISHING,
        )
        at = Setting(
            namespace=args.namespace,
            identity=wanted.identity,
            oidc_issuer=args.oidc_issuer,
            ways=[args.reach.to_identity(), args.reach.to_services()],
            ready=wanted.rights,
        )
        declare(name, run, at, self)
        self.register_outputs({})
