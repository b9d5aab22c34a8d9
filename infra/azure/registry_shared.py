"""Another stack's registry, pulled from here: the replica in this region answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.roles import Grantee, Role, grant


@dataclass(frozen=True)
class SharedRegistryArgs:
    id: pulumi.Input[str]
    place: Place
    exposure: Exposure
    pullers: Sequence[Grantee]


class SharedRegistry(pulumi.ComponentResource):
    """Who of this stack may pull, and the way there."""

    def __init__(
        self, name: str, args: SharedRegistryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("agents:azure:SharedRegistry", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        grant("pull", Role.ACR_PULL, args.pullers, args.id, child)
        args.exposure.connect(name, args.place, Service.REGISTRY, args.id, child)
        self.register_outputs({})
