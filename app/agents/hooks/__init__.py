"""What code adds to a model's answer or corrects in it, because no model should be trusted with it.

A declaration names hooks under `hooks:`; they run in that order on an answer that fits the output schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from app.agents.hooks.approvals import Approvals
from app.agents.hooks.delivery import Delivery
from app.agents.hooks.sla import Sla

Hook = Annotated[Approvals | Delivery | Sla, Field(discriminator="use")]


def apply(chosen: Sequence[Hook], value: dict[str, Any], output: dict[str, Any]) -> dict[str, Any]:
    """The output after every hook; `value` is the input."""
    for hook in chosen:
        output = hook.apply(value, output)
    return output
