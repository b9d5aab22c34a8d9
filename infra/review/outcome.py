"""What a preview comes to, in a few words and as an exit code."""

from __future__ import annotations

from enum import Enum

from infra.review.markdown import counted
from infra.review.previews import Preview


class Outcome(Enum):
    """From worst to best; the value is the exit code of a run that has nothing worse."""

    FAILED = ("failed", 2)
    LOSES_DATA = ("loses data", 1)
    BREAKS_RULES = ("breaks rules", 1)
    ACKNOWLEDGED = ("loses data, as acknowledged", 0)
    UNCHANGED = ("changes nothing", 0)
    SAFE = ("safe", 0)

    @property
    def code(self) -> int:
        return self.value[1]


def outcome(preview: Preview) -> Outcome:
    verdict = preview.verdict
    holds = {
        Outcome.LOSES_DATA: bool(verdict.refused),
        Outcome.FAILED: bool(verdict.errors),
        Outcome.BREAKS_RULES: bool(preview.broken_rules),
        Outcome.ACKNOWLEDGED: bool(verdict.acknowledged),
        Outcome.UNCHANGED: not preview.plan.changes,
    }
    return next((found for found, is_so in holds.items() if is_so), Outcome.SAFE)


def words(preview: Preview) -> str:
    """For a reader who sees nothing else of the report."""
    match outcome(preview):
        case Outcome.LOSES_DATA:
            return f"⛔ {counted(len(preview.verdict.refused), 'loss', 'losses')} of data"
        case Outcome.BREAKS_RULES:
            return f"⛔ {counted(len(preview.broken_rules), 'breach', 'breaches')} of policy"
        case Outcome.FAILED:
            return "❌ could not be previewed"
        case Outcome.ACKNOWLEDGED:
            return "⚠️ loses data, as acknowledged"
        case Outcome.UNCHANGED:
            return "✅ changes nothing"
        case _:
            return "✅ safe to apply"
