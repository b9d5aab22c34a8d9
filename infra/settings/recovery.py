"""What a stack of role `recovery` stands on, and where in its life it is (docs/recovery.md)."""

from __future__ import annotations

from typing import Literal

from infra.settings.sections import Section
from infra.settings.types import Digest


class RecoverySettings(Section):
    """For role `recovery` only: it stands in for its source in the source's paired region.

    `phase`: `serving`; then `drained`, with no agent left; then `returned`, with the data back in the
    source's region. With `traffic` the source's name leads here while it serves. `acknowledged`: it is meant
    to take over from a source that still answers. `images`: `replica` pulls from the source's registry,
    `backup` from the one of its backup stack; by `digest`, or whatever digest its version has there.
    `secrets`: `copies` brings those of the source's vault into this one, from the copies of its backup stack.
    """

    phase: Literal["serving", "drained", "returned"] = "serving"
    traffic: bool = True
    acknowledged: bool = False
    images: Literal["replica", "backup"] = "replica"
    digest: Digest | None = None
    secrets: Literal["copies", "none"] = "copies"
