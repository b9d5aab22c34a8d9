"""The data's way back to the region that was lost, once that is there again."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_command import local

from infra.azure.sql_takeover import Server, make_primary


@dataclass(frozen=True)
class HomecomingArgs:
    """What fails back: a SQL `server` and a Cosmos DB `account`, each None where it never failed over.

    `regions` of the account, the one to be written first.
    """

    resource_group: str
    server: Server | None
    account: str | None
    regions: tuple[str, str]


class Homecoming(pulumi.ComponentResource):
    """Desired state: both services are written in the first region. Planned, so that no row or document is
    left behind; refused by Azure, and tried again by the next update, while that region is not back whole.
    """

    def __init__(self, name: str, args: HomecomingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Homecoming", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        if args.server is not None:
            make_primary("sql-home", args.server, "", child)
        if args.account is not None:
            self._write_first(args, args.account, child)
        self.register_outputs({})

    def _write_first(self, args: HomecomingArgs, name: str, opts: pulumi.ResourceOptions) -> None:
        account = f"--name {name} --resource-group {args.resource_group} --only-show-errors"
        first, second = args.regions
        local.Command(
            "cosmos-home",
            # Azure names regions as people do: `West Europe`.
            create=(
                f"test \"$(az cosmosdb show {account} --query 'writeLocations[0].locationName' --output tsv "
                f"| tr -d ' ' | tr '[:upper:]' '[:lower:]')\" = {first} || az cosmosdb "
                f"failover-priority-change {account} --failover-policies {first}=0 {second}=1 --output none"
            ),
            opts=opts,
        )
