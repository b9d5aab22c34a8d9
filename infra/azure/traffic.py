"""The public name of another stack, led here for as long as this stack serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import resources

from infra.azure.dns import TTL_SECONDS, relative_name

_RECORDS, _VERSION = "Microsoft.Network/dnsZones/A", "2018-05-01"
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
#: The record's metadata: whose address it has. Without it, its own environment's.
SERVED_BY = "servedBy"


@dataclass(frozen=True)
class TrafficArgs:
    """`zone` lies in `resource_group`, `host` directly below it; `served_by` names this stack."""

    resource_group: str
    zone: str
    host: str
    address: pulumi.Input[str]
    served_by: str


class Traffic(pulumi.ComponentResource):
    """The record is the other stack's, which made it; here a deployment sets it to another address.

    Deleting a deployment deletes nothing: the record leads here until its own stack is updated with
    `--refresh` and takes it back. Until the address changes this stack does not set it again.
    """

    def __init__(self, name: str, args: TrafficArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Traffic", name, None, opts)
        resources.Deployment(
            name,
            deployment_name=f"traffic-{args.served_by}",
            resource_group_name=args.resource_group,
            properties=resources.DeploymentPropertiesArgs(
                mode=resources.DeploymentMode.INCREMENTAL,
                template=template(args.zone, args.host, args.address, args.served_by),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def template(zone: str, host: str, address: pulumi.Input[str], served_by: str) -> dict[str, Any]:
    """What sets the record, whatever it was before."""
    record = {
        "type": _RECORDS,
        "apiVersion": _VERSION,
        "name": f"{zone}/{relative_name(host, zone)}",
        "properties": {
            "TTL": TTL_SECONDS,
            "ARecords": [{"ipv4Address": address}],
            "metadata": {SERVED_BY: served_by},
        },
    }
    return {"$schema": _SCHEMA, "contentVersion": "1.0.0.0", "resources": [record]}
