"""What the policy pack found in a preview: read from the engine's log of events.

`pulumi preview --json` says nothing of policies, so the preview is also asked for its events (`--event-log`,
one JSON object a line), as the Automation API does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """A broken rule. `urn` is the stack's where it is nobody's in particular; `fault` includes the remedy."""

    rule: str
    urn: str
    fault: str
    mandatory: bool
    description: str

    @property
    def where(self) -> str:
        kind, _, name = self.urn.rpartition("::")
        return "the stack" if kind.endswith("pulumi:pulumi:Stack") else name


def parse(events: str) -> tuple[Finding, ...]:
    """Findings in the order of their rules; what is no policy event is skipped."""
    found = set()
    for line in events.splitlines():
        event = json.loads(line).get("policyEvent") if line.startswith("{") else None
        if event:
            description, _, fault = str(event["message"]).strip().partition("\n")
            found.add(
                Finding(
                    rule=event["policyName"],
                    urn=event.get("resourceUrn", ""),
                    fault=fault or description,
                    mandatory=event.get("enforcementLevel") == "mandatory",
                    description=description,
                )
            )
    return tuple(sorted(found))
