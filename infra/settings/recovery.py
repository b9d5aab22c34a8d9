"""What a stack of role `recovery` stands on, and where in its life it is (docs/recovery.md)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from infra.settings.sections import Section
from infra.settings.types import Digest, Moment


class RecoverySettings(Section):
    """For role `recovery` only: it stands in for its source in the source's paired region.

    `cosmos`: `failover` works on the source's account, which lives in this region too; `restore` makes
    another one, as of `as_of`. `sql`: `failover` makes the source's second server the primary; `geo_restore`
    makes another server from the newest backup. `images`: `replica` pulls from the source's registry,
    `backup` from the one of its backup stack; by `digest`, or whatever digest its version has there.

    `phase`: `serving`; then `drained`, with no agent left; then `returned`, with the data back in the
    source's region. With `traffic` the source's name leads here while it serves. `acknowledged`: it is meant
    to take over from a source that still answers.
    """

    cosmos: Literal["failover", "restore"] = "failover"
    sql: Literal["failover", "geo_restore"] = "failover"
    as_of: Moment | None = None
    images: Literal["replica", "backup"] = "replica"
    digest: Digest | None = None
    phase: Literal["serving", "drained", "returned"] = "serving"
    traffic: bool = True
    acknowledged: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.cosmos == "restore" and self.as_of is None:
            raise ValueError(
                "cosmos is restore, so as_of must say the moment, for example 2026-11-28T09:59:30Z"
            )
        if self.cosmos != "restore" and self.as_of is not None:
            raise ValueError(
                f"as_of is set, and cosmos is {self.cosmos}: only a restore is as of a moment. Set cosmos to "
                "restore, or remove as_of"
            )
        copied = [name for name in ("cosmos", "sql") if getattr(self, name) != "failover"]
        if self.phase == "returned" and copied:
            raise ValueError(
                f"phase is returned, but {' and '.join(copied)} did not fail over: what this stack made of a "
                "backup has no way back by itself (docs/recovery.md, The way back)"
            )
        return self
