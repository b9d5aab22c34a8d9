"""Who publishes again what nobody has acted upon: an identity of its own, where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.azure.cosmos_roles import DataRoles
from infra.azure.identity import Identity
from infra.azure.roles import Grantee
from infra.stacks.ground import Ground
from infra.stacks.services import Prompts
from infra.workload.prompts import listens
from infra.workload.republishing import NAME, Republish


@dataclass(frozen=True)
class Publisher:
    """`identity` is None where nothing is to be published again."""

    ground: Ground
    prompts: Prompts
    identity: Identity | None
    grantees: Sequence[Grantee]

    @classmethod
    def of(cls, ground: Ground, prompts: Prompts, *, always: bool = False) -> Publisher:
        """`always`: also without the setting, as far back as events are kept."""
        if ground.settings.republish is None and not always:
            return cls(ground, prompts, None, ())
        identity = ground.identity(NAME)
        return cls(ground, prompts, identity, [identity.grantee()])

    def reads(self, roles: DataRoles, container: str) -> Republish | None:
        """Let it read what was published and what was consumed; what the Job is told."""
        if self.identity is None:
            return None
        roles.grant_reading(container, self.grantees, pulumi.ResourceOptions(parent=self.identity))
        return Republish(
            identity=self.identity,
            since=self.ground.settings.republish,
            listeners={agent: listens(files) for agent, files in self.prompts.items()},
            rights=[right for grantee in self.grantees for right in grantee.rights],
        )
