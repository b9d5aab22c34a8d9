"""Which proposed workflow runs need whose approval: a rule about the input, never the model's to say."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Approvals(BaseModel):
    """Keeps proposals of workflows that were given, and sets `approval` of each.

    What changes nothing needs none; what changes state needs the on-call engineer, and two people in
    production or where the environment is not stated. `refused` names what was proposed and not given. A
    change to take back that was not given is refused the same way.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: Literal["approvals"]

    def apply(self, value: dict[str, Any], output: dict[str, Any]) -> dict[str, Any]:
        # The stricter one counts where a name was given twice.
        changes: dict[str, bool] = {}
        for one in value["workflows"]:
            changes[one["name"]] = changes.get(one["name"], False) or one["changesState"]
        changing = "on-call" if value.get("environment") in {"dev", "test"} else "two-people"
        actions = [
            {**action, "approval": changing if changes[action["workflow"]] else "none"}
            for action in output["actions"]
            if action["workflow"] in changes
        ]
        refused = [one["workflow"] for one in output["actions"] if one["workflow"] not in changes]
        rollback = output["rollback"]
        if rollback["change"] not in {None, *(change["id"] for change in value.get("changes", ()))}:
            refused.append(rollback["change"])
            rollback = {**rollback, "change": None}
        return {**output, "actions": actions, "rollback": rollback, "refused": refused}
