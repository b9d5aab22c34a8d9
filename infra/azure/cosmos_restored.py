"""An account of Cosmos DB restored as of a moment, beside the one whose history it is made from.

https://learn.microsoft.com/azure/cosmos-db/restore-account-continuous-backup
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pulumi
from pulumi_azure_native import authorization, cosmosdb, resources

from infra.azure.conforming import Copy, once_conforming
from infra.azure.cosmos import DATABASE, Cosmos, CosmosArgs
from infra.azure.cosmos_account import RESTORE_INPUTS, AccountArgs, declare_account
from infra.azure.cosmos_containers import containers
from infra.azure.cosmos_roles import DataRoles
from infra.azure.diagnostics import diagnose
from infra.azure.place import Place
from infra.azure.private import Service
from infra.naming import Names, stamp
from infra.recovery import facts
from infra.settings.restores import Restore, written

_CONTAINERS = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers"
_VERSION = "2025-10-15"
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


@dataclass(frozen=True)
class RestoredCosmosArgs:
    """`like` is what an account of this environment has, under the restored one's name.

    `source`: the id of the restorable account whose history is looked into; `home` its region, where that is
    not the place's. `original` is what the restored one has to be like before it is used; without one it is
    this stack's own data, protected like that, and has to be what the settings say. `republisher`: as of
    `facts.account`.
    """

    like: CosmosArgs
    restore: Restore
    source: pulumi.Input[str]
    republisher: str
    original: Cosmos | None = None
    home: str | None = None


class RestoredCosmos(pulumi.ComponentResource):
    """The account as of then, and what a restore does not bring: roles, network rules, endpoints and logs.

    Databases and containers come with their documents, so they exist before Pulumi could make them; a
    deployment brings today's settings to them. Retention goes on: what would have expired by now has. An
    adopted one has its `endpoint` once it is like the original. Its output `madeOf` is read back by
    `infra/stacks/recorded.py`.
    """

    def __init__(
        self, name: str, args: RestoredCosmosArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("agents:azure:RestoredCosmos", name, None, opts)
        like, place, restore = args.like, args.like.place, args.restore
        child = pulumi.ResourceOptions(parent=self)
        self.account = declare_account(
            name,
            AccountArgs(
                like.account,
                place,
                like.settings,
                like.exposure,
                restore.paired,
                _parameters(args),
                args.home,
            ),
            place.restored(self, kept=restore.kept, ignore_changes=RESTORE_INPUTS)
            if args.original is not None
            else place.stateful(self, ignore_changes=RESTORE_INPUTS),
        )
        made = self._bring_settings(name, like, place)
        self.roles = DataRoles(self.account, place.resource_group, DATABASE, prefix=f"{name}-")
        after = pulumi.ResourceOptions(parent=self, depends_on=[made])
        self.roles.grant_items([one.name for one in containers(like.settings)], like.agents, after)
        self.roles.grant_database(like.operators, after)
        connected = like.exposure.connect(name, place, Service.COSMOS, self.account.id, child)
        logs = diagnose(name, self.account.id, like.workspace_id, child)
        self.endpoint = self.account.document_endpoint
        if restore.adopted:
            copy = Copy(
                "account",
                lambda read, account: facts.account(read, account, DATABASE, args.republisher),
                self.account.id,
                _wanted(like, len(connected)) if args.original is None else args.original.account.id,
                after=[
                    *(args.original.parts if args.original is not None else ()),
                    *self.roles.made,
                    *connected,
                    made,
                    logs,
                ],
            )
            self.endpoint = once_conforming(self.endpoint, place.cloud, copy)
        # A lock's scope, which Pulumi has no resource of.
        self.data = {"cosmos-database": pulumi.Output.concat(self.account.id, "/sqlDatabases/", DATABASE)}
        holds = {like.account: self.account.instance_id}
        made_of = {like.account: restore.made_of} if args.original is not None else {}
        self.register_outputs({"endpoint": self.endpoint, "holds": holds, "madeOf": made_of})

    def _bring_settings(self, name: str, like: CosmosArgs, place: Place) -> resources.Deployment:
        return resources.Deployment(
            f"{name}-containers",
            deployment_name=self.account.name,
            resource_group_name=place.resource_group,
            properties=resources.DeploymentPropertiesArgs(
                mode=resources.DeploymentMode.INCREMENTAL,
                template={
                    "$schema": _SCHEMA,
                    "contentVersion": "1.0.0.0",
                    "resources": [
                        {
                            "type": _CONTAINERS,
                            "apiVersion": _VERSION,
                            "name": pulumi.Output.concat(self.account.name, "/", DATABASE, "/", one.name),
                            "properties": {"resource": one.wire()},
                        }
                        for one in containers(like.settings)
                    ],
                },
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.account]),
        )


def restore_accounts(
    original: Cosmos,
    args: CosmosArgs,
    restores: Sequence[Restore],
    names: Names,
    elsewhere: Mapping[datetime, str],
) -> Cosmos | RestoredCosmos:
    """Declare every restore of the account; the one that agents use is given back.

    `elsewhere`: by the moment of a restore, the restorable account that is its source and is gone, or another
    stack's.
    """
    used: Cosmos | RestoredCosmos = original
    known: dict[datetime | None, cosmosdb.DatabaseAccount] = {None: original.account}
    for restore in restores:
        like = replace(args, account=names.restored_cosmos(restore.as_of))
        source = elsewhere.get(restore.as_of) or restorable(
            args.place.location, known[restore.of].instance_id
        )
        restored = RestoredCosmos(
            f"cosmos-{stamp(restore.as_of)}",
            RestoredCosmosArgs(like, restore, source, names.republisher, original),
        )
        known[restore.as_of] = restored.account
        used = restored if restore.adopted else used
    return used


def restorable(location: str, instance: pulumi.Input[str]) -> pulumi.Output[str]:
    """The id of what there is to restore from an account, by its region and instance id."""
    return pulumi.Output.format(
        "/subscriptions/{0}/providers/Microsoft.DocumentDB/locations/{1}/restorableDatabaseAccounts/{2}",
        authorization.get_client_config_output().subscription_id,
        location,
        instance,
    )


def _wanted(like: CosmosArgs, endpoints: int) -> facts.Facts:
    """What a restore does not bring, by the settings: there is no original to look at."""
    return {
        "publicNetworkAccess": like.exposure.public_network_access,
        "private endpoints": endpoints,
        "backup policy": ("Continuous", like.settings.backup),
        **{
            f"container {one.name}: {fact}": value
            for one in containers(like.settings)
            for fact, value in one.wire().items()
            if fact in {"partitionKey", "defaultTtl"}
        },
    }


def _parameters(args: RestoredCosmosArgs) -> cosmosdb.RestoreParametersArgs:
    return cosmosdb.RestoreParametersArgs(
        restore_mode=cosmosdb.RestoreMode.POINT_IN_TIME,
        restore_source=args.source,
        restore_timestamp_in_utc=written(args.restore.as_of),
    )
