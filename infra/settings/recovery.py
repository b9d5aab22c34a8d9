"""What a stack of role `recovery` stands on, and where in its life it is (docs/recovery.md)."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from infra.settings.sections import Section
from infra.settings.types import Digest, Moment


class RecoverySettings(Section):
    """For role `recovery` only: it stands in for its source in the source's paired region.

    `phase`: `serving`; then `drained`, with no agent left; then `returned`, with the data back in the
    source's region, or ready to be fetched from there. With `traffic` the source's name leads here while it
    serves. `acknowledged`: it is meant to take over from a source that still answers. `images`: `replica`
    pulls from the source's registry, `backup` from the one of its backup stack; by `digest`, or whatever
    digest its version has there. `secrets`: `copies` brings those of the source's vault into this one, from
    the copies of its backup stack. `sql`: `failover` takes over the source's second server, `geo-restore` has
    a server of its own, with the newest geo-redundant backup of the source's database. `cosmos`: `failover`
    works on the source's account, `restore` on an account of its own, with the source's documents `as_of` a
    moment.
    """

    phase: Literal["serving", "drained", "returned"] = "serving"
    traffic: bool = True
    acknowledged: bool = False
    images: Literal["replica", "backup"] = "replica"
    digest: Digest | None = None
    secrets: Literal["copies", "none"] = "copies"
    sql: Literal["failover", "geo-restore"] = "failover"
    cosmos: Literal["failover", "restore"] = "failover"
    as_of: Moment | None = None

    @model_validator(mode="after")
    def _has_its_moment(self) -> Self:
        if self.cosmos == "restore" and self.as_of is None:
            raise ValueError(
                "cosmos is restore, and as_of does not say what the documents must be as of. The newest that "
                "can be had: az cosmosdb sql retrieve-latest-backup-time (docs/recovery.md)"
            )
        if self.cosmos != "restore" and self.as_of is not None:
            raise ValueError(
                "as_of is the moment of cosmos: restore; what fails over, and SQL's geo-restore, is as new "
                "as can be. Remove it"
            )
        return self
