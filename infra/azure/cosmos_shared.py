"""Another stack's Cosmos DB account, worked on from here: it stays that stack's in everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.azure.cosmos import DATABASE
from infra.azure.cosmos_containers import containers
from infra.azure.cosmos_roles import Account, DataRoles
from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.roles import Grantee
from infra.settings.sections import CosmosSettings


@dataclass(frozen=True)
class SharedCosmosArgs:
    """`resource_group` and `settings` are those of the stack that has the account."""

    account: Account
    resource_group: str
    settings: CosmosSettings
    endpoint: str
    place: Place
    exposure: Exposure
    agents: Sequence[Grantee]


class SharedCosmos(pulumi.ComponentResource):
    """What this stack's agents may do with the data, and their way there.

    Its role for agents is defined already. Service-managed failover makes this region the one that is
    written when the other is lost; clients find that out from the account.
    """

    def __init__(self, name: str, args: SharedCosmosArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:SharedCosmos", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.roles = DataRoles(args.account, args.resource_group, DATABASE)
        self.roles.assign_items([one.name for one in containers(args.settings)], args.agents, child)
        args.exposure.connect(name, args.place, Service.COSMOS, args.account.id, child)
        self.endpoint = pulumi.Output.from_input(args.endpoint)
        self.register_outputs({"endpoint": self.endpoint})
