"""The plan guard: no preview may replace or delete what holds data.

    python -m infra.review.guard preview.json [--acknowledge URN]...

reads what `pulumi preview --json --show-replacement-steps` printed (without that flag the engine does not
show what interrupted replacements have left to delete). Exit codes: 0 nothing is lost; 1 refused: data would
be lost; 2 no verdict: the file is no preview, or the preview failed.

A loss that is meant is acknowledged by URN, where it can be reviewed: in the stack's settings,

    config:
      review:acknowledged:
        - urn: urn:pulumi:dev::agents::…::cosmos
          reason: moved to another account, copied on 12 May

or for one run with `--acknowledge`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.policy.stateful import STATEFUL
from infra.review.plan import Action, Change, Plan, PlanError, read, shown

SETTING = "review:acknowledged"
PASSED, REFUSED, NO_VERDICT = 0, 1, 2
_VERBS = {Action.REPLACE: "replaced", Action.DELETE: "deleted"}


@dataclass(frozen=True)
class Loss:
    """A stateful resource that would be replaced or deleted. `reason`: why that is meant, where it is."""

    change: Change
    why: str
    lost: str
    advice: str
    reason: str | None = None

    @property
    def headline(self) -> str:
        verb = "deleted" if self.change.left_over else _VERBS[self.change.action]
        return f"{self.change.name} ({kind(self.change.type)}) would be {verb}"


@dataclass(frozen=True)
class Verdict:
    """`notes` are worth knowing and refuse nothing; `errors` are why the plan is incomplete."""

    refused: tuple[Loss, ...]
    acknowledged: tuple[Loss, ...]
    notes: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def code(self) -> int:
        if self.refused:
            return REFUSED
        return NO_VERDICT if self.errors else PASSED


def judge(plan: Plan, acknowledged: Mapping[str, str] | None = None) -> Verdict:
    """`acknowledged`: URN -> reason, beside what the plan's own settings acknowledge. Raises PlanError."""
    meant = {**_in_settings(plan), **(acknowledged or {})}
    losses = [
        _loss(change, plan, meant.get(change.urn))
        for change in plan.of(Action.REPLACE, Action.DELETE)
        if change.type in STATEFUL
    ]
    return Verdict(
        refused=tuple(loss for loss in losses if loss.reason is None),
        acknowledged=tuple(loss for loss in losses if loss.reason is not None),
        notes=tuple(_notes(plan, meant, losses)),
        errors=plan.errors,
    )


def _in_settings(plan: Plan) -> dict[str, str]:
    text = plan.config.get(SETTING, "[]")
    try:
        return {entry["urn"]: entry["reason"] for entry in json.loads(text)}
    except (ValueError, TypeError, KeyError) as error:
        raise PlanError(
            f"{SETTING} is {text}; it must be a list of entries with a `urn` and a `reason`"
        ) from error


def _loss(change: Change, plan: Plan, reason: str | None) -> Loss:
    if change.action is Action.REPLACE:
        why, advice = _why_replaced(change), _instead_of_replacing(change)
    else:
        why, advice = "the program does not declare it any more", _instead_of_deleting(change, plan)
    return Loss(change, why, _lost(change), advice, reason)


def _lost(change: Change) -> str:
    holding = STATEFUL[change.type]
    if change.retained:
        return f"{holding.what}, for the program: the old one stays in Azure, a new and empty one takes over."
    return f"{holding.what}. {holding.remains}." if holding.remains else f"{holding.what}."


def _why_replaced(change: Change) -> str:
    if change.left_over:
        return "an earlier replacement was interrupted before it deleted the replaced one"
    causes = [f"{p.path} changes from {shown(p.before)} to {shown(p.after)}" for p in change.reasons]
    return ", ".join(causes) or "the run was told to replace it"


def _instead_of_replacing(change: Change) -> str:
    if change.left_over:
        return "see what it still holds; `pulumi state delete` forgets it without deleting it"
    undo = " and ".join(p.path for p in change.reasons)
    first = f"take back the change of {undo}" if undo else "leave out --replace"
    return f"{first}; or declare a second one beside it, move the data, and remove this one in its own change"


def _instead_of_deleting(change: Change, plan: Plan) -> str:
    for made in plan.of(Action.CREATE):
        if made.type == change.type:
            alias = f"name={change.name!r}" if made.name != change.name else "parent=<its parent until now>"
            return (
                f"if {made.name} is the same thing under a new name or parent, say so with "
                f"aliases=[pulumi.Alias({alias})]; else declare {change.name} again"
            )
    return (
        "declare it again; to give it up and keep the data, apply retain_on_delete=True to it first, and "
        "take it out of the program after that"
    )


def _notes(plan: Plan, meant: Mapping[str, str], losses: Iterable[Loss]) -> Iterable[str]:
    for change in plan.changes:
        named = f"{change.name} ({kind(change.type)})"
        if change.type in STATEFUL and change.action is Action.FORGET:
            yield f"{named} leaves Pulumi's state and stays in Azure, with its data"
        if change.type in STATEFUL and change.vanished:
            yield f"{named} is gone from Azure: it is made anew, empty unless it is recovered"
    for urn in sorted(meant.keys() - {loss.change.urn for loss in losses}):
        yield f"{urn} is acknowledged, but nothing would be lost there: remove the acknowledgement"


def kind(resource_type: str) -> str:
    """`cosmosdb DatabaseAccount` for `azure-native:cosmosdb:DatabaseAccount`."""
    return " ".join(resource_type.split(":")[1:])


def lines(verdict: Verdict) -> Iterable[str]:
    """The verdict for a terminal."""
    for loss in verdict.refused:
        yield f"refused: {loss.headline}"
        yield f"  because {loss.why}"
        yield f"  lost:    {loss.lost}"
        yield f"  instead: {loss.advice}."
        yield f"  if it is meant, acknowledge it: --acknowledge '{loss.change.urn}', or {SETTING}"
    for loss in verdict.acknowledged:
        yield f"acknowledged: {loss.headline} ({loss.reason})"
    for note in verdict.notes:
        yield f"note: {note}."
    for error in verdict.errors:
        yield f"the preview failed: {error}"
    match verdict.code:
        case 0:
            yield "plan guard: passed; nothing that holds data is replaced or deleted unasked."
        case 1:
            yield f"plan guard: refused; {len(verdict.refused)} resource(s) that hold data would be lost."
        case _:
            yield "plan guard: no verdict; the plan is incomplete."


def main(arguments: list[str] | None = None) -> int:
    """The exit code; see the module's documentation."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.review.guard", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("preview", type=Path, help="what `pulumi preview --json` printed")
    parser.add_argument(
        "--acknowledge", metavar="URN", action="append", default=[], help="let this resource be lost"
    )
    options = parser.parse_args(arguments)
    try:
        plan = read(options.preview)
        verdict = judge(plan, dict.fromkeys(options.acknowledge, "acknowledged for this run"))
    except PlanError as error:
        sys.stderr.write(f"plan guard: no verdict; {error}\n")
        return NO_VERDICT
    sys.stdout.write("".join(f"{line}\n" for line in lines(verdict)))
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
