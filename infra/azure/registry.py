"""The container registry: where the agents' images are built, kept and pulled from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerregistry

from infra.azure.roles import Grantee, Role, grant


@dataclass(frozen=True)
class RegistryArgs:
    name: str
    resource_group: pulumi.Input[str]
    pullers: Sequence[Grantee]
    pushers: Sequence[Grantee]
    tags: dict[str, str]


class Registry(pulumi.ComponentResource):
    """A registry without an admin account; who may pull and push is a role."""

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Registry", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.resource = containerregistry.Registry(
            name,
            registry_name=args.name,
            resource_group_name=args.resource_group,
            sku=containerregistry.SkuArgs(name=containerregistry.SkuName.BASIC),
            admin_user_enabled=False,
            tags=args.tags,
            opts=child,
        )
        self.pull_roles = grant("pull", Role.ACR_PULL, args.pullers, self.resource.id, child)
        self.push_roles = grant("push", Role.ACR_PUSH, args.pushers, self.resource.id, child)
        self.id = self.resource.id
        self.name = self.resource.name
        self.login_server = self.resource.login_server
        self.register_outputs({"loginServer": self.login_server})
