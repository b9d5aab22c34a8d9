"""Who publishes again what nobody has acted upon: an identity of its own, where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi

from infra.azure.cosmos_roles import DataRoles
from infra.azure.identity import Identity
from infra.azure.roles import Grantee
from infra.naming import REPUBLISHER
from infra.settings import Settings, SettingsError
from infra.settings.restores import written
from infra.stacks.ground import Ground
from infra.stacks.services import Prompts
from infra.workload.prompts import listens
from infra.workload.republishing import Republish


def check(settings: Settings, now: datetime | None = None) -> None:
    """Raises SettingsError for a moment that is yet to come, since which nothing was published."""
    now = now or datetime.now(UTC)
    if settings.republish is not None and settings.republish > now:
        raise SettingsError(
            f"agents:republish is {written(settings.republish)}, and it is {written(now)} now: nothing was "
            "published since then. Name a moment before the loss, a day at most, as the outbox has no more: "
            f"pulumi config set --stack {settings.environment} agents:republish MOMENT"
        )


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
        identity = ground.identity(REPUBLISHER)
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
