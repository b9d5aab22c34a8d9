"""The second server of another stack's failover group, made the primary and worked on from here."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import sql
from pulumi_command import local

from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.sql_server import bounds


@dataclass(frozen=True)
class Server:
    """A server by its name, the failover group it is in, and the resource group of both."""

    name: str
    failover_group: str
    resource_group: str


@dataclass(frozen=True)
class SqlTakeoverArgs:
    """`id` is the server's, `listener` the host name that follows the primary.

    `planned`: the other server is there and gives its last rows. Without, what had not arrived is lost:
    nobody could say how long to wait for it.
    """

    server: Server
    id: pulumi.Input[str]
    listener: str
    place: Place
    exposure: Exposure
    planned: bool


class SqlTakeover(pulumi.ComponentResource):
    """Desired state: this server is the primary. Whatever else the failover group is stays its own stack's.

    `az` asks for a failover only where the server is the secondary, so it can be run again at any time.
    """

    def __init__(self, name: str, args: SqlTakeoverArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:SqlTakeover", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        args.exposure.connect(name, args.place, Service.SQL, args.id, child)
        for number, address in enumerate(args.exposure.known_addresses):
            sql.FirewallRule(
                f"{name}-{number}",
                firewall_rule_name=pulumi.Output.format("{0}-{1}", args.place.resource_group, number),
                server_name=args.server.name,
                resource_group_name=args.server.resource_group,
                start_ip_address=address.apply(lambda text: bounds(text)[0]),
                end_ip_address=address.apply(lambda text: bounds(text)[1]),
                opts=child,
            )
        how = "--try-planned-before-forced-failover" if args.planned else "--allow-data-loss"
        make_primary(name, args.server, how, child)
        self.server = pulumi.Output.from_input(args.listener)
        self.register_outputs({"server": self.server})


def make_primary(
    name: str, server: Server, how: str, opts: pulumi.ResourceOptions | None = None
) -> local.Command:
    """`how` is az's option for the data that the secondary lacks; empty for a planned failover, which loses
    none and needs both servers."""
    return local.Command(
        name,
        create=(
            f"az sql failover-group set-primary --name {server.failover_group} "
            f"--resource-group {server.resource_group} --server {server.name} {how} --only-show-errors "
            "--output none"
        ),
        opts=opts,
    )
