"""Where a component's resources go, and how careful Pulumi is with what holds data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.cloud import Cloud


@dataclass(frozen=True)
class Place:
    """What every component of an environment needs to know about its surroundings.

    `paired` is the region of second copies, None when there are none. With `protect`, what holds data can
    neither be deleted by Pulumi nor disappear because it left the program. `zonal`: whatever can be spread
    over availability zones is.
    """

    cloud: Cloud
    resource_group: pulumi.Input[str]
    location: str
    paired: str | None
    protect: bool
    tags: dict[str, str]
    zonal: bool = False

    def restored(
        self, parent: pulumi.Resource, *, kept: bool, ignore_changes: Sequence[str] = ()
    ) -> pulumi.ResourceOptions:
        """Options of data that was restored: while `kept`, it stays in Azure when it leaves the program.

        Never protected: a restore's settings can be taken away.
        """
        return pulumi.ResourceOptions(
            parent=parent, retain_on_delete=kept, ignore_changes=list(ignore_changes)
        )

    def stateful(
        self,
        parent: pulumi.Resource,
        *,
        depends_on: Sequence[pulumi.Resource] = (),
        ignore_changes: Sequence[str] = (),
    ) -> pulumi.ResourceOptions:
        """Options of a resource that holds data."""
        return pulumi.ResourceOptions(
            parent=parent,
            protect=self.protect,
            retain_on_delete=self.protect,
            depends_on=list(depends_on),
            ignore_changes=list(ignore_changes),
        )
