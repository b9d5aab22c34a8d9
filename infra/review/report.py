"""The report: what a change would do to every stack, for someone who decides whether it may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infra.policy.stateful import STATEFUL
from infra.review.compare import Difference
from infra.review.guard import Loss, kind
from infra.review.markdown import LIMIT, MARKER, code, counted, details, fenced, prose, table
from infra.review.outcome import words
from infra.review.plan import Action, Change, Plan, shown
from infra.review.previews import Preview
from infra.review.prompts import PromptChange

_TITLE = "# What this change would do"
#: Rows per table, and lines per prompt, from "all" to "hardly any": the first that fits is taken.
_ROOM = (100_000, 200, 60, 20, 5, 0)
_ORDER = (
    Action.REPLACE,
    Action.DELETE,
    Action.FORGET,
    Action.IMPORT,
    Action.UPDATE,
    Action.CREATE,
)
_DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
    Action.FORGET: "left in Azure, out of Pulumi",
    Action.IMPORT: "imported",
}


@dataclass(frozen=True)
class Review:
    """Everything the report says; `settings` by stack, and so `moves`: what happens to agents' data."""

    previews: Sequence[Preview]
    settings: Mapping[str, Sequence[Difference]]
    prompts: Sequence[PromptChange]
    moves: Mapping[str, Sequence[str]] = field(default_factory=dict)


def render(review: Review, limit: int = LIMIT) -> str:
    """Markdown of at most `limit` characters. The same review always gives the same text."""
    for room in _ROOM:
        text = "\n\n".join(_blocks(review, room)) + "\n"
        if len(text) <= limit:
            return text
    cut = "\n\n(The rest does not fit into a comment; run `make preview`.)\n"
    return text[: limit - len(cut)] + cut


def _blocks(review: Review, room: int) -> Iterator[str]:
    yield MARKER
    yield _TITLE
    yield table(
        ["Stack", "Verdict", "Created", "Updated", "Replaced", "Deleted", "Unchanged"],
        [_summary(preview) for preview in review.previews],
    )
    moves = [f"- {stack}: {prose(move)}." for stack, found in review.moves.items() for move in found]
    if moves:
        rest = [f"- … and {len(moves) - max(room, 1)} more"] if len(moves) > max(room, 1) else []
        yield "**⚠️ Where agents' data is**\n\n" + "\n".join([*moves[: max(room, 1)], *rest])
    for preview in review.previews:
        yield f"## {preview.stack}"
        yield from _stack(preview, room)
    if any(review.settings.values()):
        yield "## Settings"
        for stack, changes in review.settings.items():
            if changes:
                yield table(
                    [f"{stack}: setting", "Before", "After"],
                    _cut([_setting(change) for change in changes], room),
                )
    if review.prompts:
        yield "## Prompts"
        for change in review.prompts:
            yield from _prompt(change, room)


def _summary(preview: Preview) -> list[str]:
    columns = (
        (Action.CREATE, Action.IMPORT),
        (Action.UPDATE,),
        (Action.REPLACE,),
        (Action.DELETE, Action.FORGET),
    )
    counts = [*(len(preview.plan.of(*actions)) for actions in columns), preview.plan.unchanged]
    return [preview.stack, words(preview), *(str(count or "–") for count in counts)]


def _stack(preview: Preview, room: int) -> Iterator[str]:
    for error in preview.verdict.errors:
        yield f"The preview failed:\n\n{fenced(_clipped(error, room))}"
    for loss in preview.verdict.refused:
        yield _loss(loss, "⛔")
    for loss in preview.verdict.acknowledged:
        yield _loss(loss, "⚠️")
    for note in preview.verdict.notes:
        yield f"ℹ️ {prose(note)}."
    yield from _policies(preview, room)
    yield from _changes(preview, room)


def _loss(loss: Loss, sign: str) -> str:
    meant = (
        f"- **Acknowledged**: {prose(loss.reason)}"
        if loss.reason
        else f"- **Instead**: {prose(loss.advice)}."
    )
    return "\n".join(
        (
            f"{sign} **{prose(loss.headline)}**, because {prose(loss.why)}.",
            "",
            f"- **Lost**: {prose(loss.lost)}",
            meant,
            f"- {code(loss.change.urn)}",
        )
    )


def _policies(preview: Preview, room: int) -> Iterator[str]:
    for mandatory, title in ((True, "Rules that this breaks"), (False, "Advice")):
        places: dict[tuple[str, str], list[str]] = {}
        for found in preview.findings:
            if found.mandatory is mandatory:
                places.setdefault((found.rule, found.fault), []).append(code(found.where))
        rows = [[code(rule), ", ".join(where), prose(fault)] for (rule, fault), where in places.items()]
        if rows:
            body = table(["Rule", "Resources", "Fault and remedy"], _cut(rows, room))
            yield f"**{title}**\n\n{body}" if mandatory else details(f"{title} ({len(rows)})", body)
    if not preview.findings and not preview.verdict.errors:
        yield "All policies are kept."


def _changes(preview: Preview, room: int) -> Iterator[str]:
    if not preview.deployed:
        number = counted(len(preview.plan.changes), "resource")
        yield f"This stack is not deployed here: {number} would be new."
    told = {loss.change.key for loss in (*preview.verdict.refused, *preview.verdict.acknowledged)}
    rest = [change for change in _ordered(preview.plan) if change.key not in told]
    holding = [change for change in rest if _touches_data(change)]
    if holding:
        sentences = [f"- {_sentence(change)}" for change in holding]
        yield "**What holds data**\n\n" + "\n".join(sentences[: max(room, 1)])
    for action in _ORDER:
        rows = [_row(change) for change in rest if change.action is action and not _touches_data(change)]
        if rows:
            body = table(["Resource", "Type", "Properties"], _cut(rows, room))
            yield details(f"{len(rows)} {_DONE[action]}", body)


def _touches_data(change: Change) -> bool:
    return change.type in STATEFUL and change.action is not Action.CREATE


def _ordered(plan: Plan) -> list[Change]:
    return sorted(plan.changes, key=lambda change: (_ORDER.index(change.action), change.type, change.urn))


def _sentence(change: Change) -> str:
    what = f"{code(change.name)} ({kind(change.type)}) is {_DONE[change.action]}"
    moved = ", ".join(
        f"{code(p.path)} from {code(shown(p.before))} to {code(shown(p.after))}" for p in change.properties
    )
    return f"{what}: {moved}" if moved else what


def _row(change: Change) -> list[str]:
    marked = [f"**{code(p.path)}**" if p.replaces else code(p.path) for p in change.properties]
    return [code(change.name), kind(change.type), ", ".join(marked) or "–"]


def _setting(change: Difference) -> list[str]:
    return [code(change.path), code(shown(change.before)), code(shown(change.after))]


def _prompt(change: PromptChange, room: int) -> Iterator[str]:
    yield f"**{code(change.path)}** {prose(change.headline)}"
    if change.warnings:
        yield "\n".join(f"- ⚠️ {prose(warning)}" for warning in change.warnings)
    if change.facts:
        yield table(["Front matter", "Before", "After"], _cut([_setting(f) for f in change.facts], room))
    if change.text:
        yield details("Text", fenced(_clipped(change.text, room), "diff"))


def _cut(rows: list[list[str]], room: int) -> list[list[str]]:
    """The first rows, and how many more there are."""
    if len(rows) <= room:
        return rows
    return [*rows[:room], [f"… and {len(rows) - room} more", *[""] * (len(rows[0]) - 1)]]


def _clipped(text: str, room: int) -> str:
    lines = text.splitlines()
    if len(lines) <= room:
        return text
    return "\n".join([*lines[:room], f"… and {len(lines) - room} more lines"])
