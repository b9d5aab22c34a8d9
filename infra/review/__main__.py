"""`python -m infra.review`, in the project's folder: preview every stack and render one Markdown report.

Exit codes: 0 every stack is safe to change; 1 data would be lost or a rule broken; 2 a stack could not be
previewed. The report is written in every case.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.review import baseline
from infra.review.compare import Difference
from infra.review.moves import data_moves, given_up
from infra.review.outcome import outcome, words
from infra.review.previews import Preview, PreviewError, Pulumi, stack_names
from infra.review.prompts import prompt_changes
from infra.review.report import Review, render
from infra.review.settings import settings_changes


def main(arguments: list[str] | None = None) -> int:
    """The exit code; see the module's documentation."""
    options, root = _options(arguments), Path.cwd()
    try:
        base = baseline.find(root, options.base)
        pulumi = Pulumi.of(root)
        stacks = options.stacks or stack_names(root)
        previews = [_preview(pulumi, stack) for stack in stacks]
        moves = {stack: _moves(base, pulumi, stack) for stack in stacks}
    except (PreviewError, baseline.BaselineError) as error:
        sys.stderr.write(f"preview: {error}\n")
        return 2
    review = Review(previews, _settings(base, stacks), prompt_changes(base), moves)
    report = render(review)
    if options.output is None:
        sys.stdout.write(report)
    else:
        options.output.write_text(report, encoding="utf-8")
        sys.stderr.write(f"preview: the report is in {options.output}\n")
    return max((outcome(preview).code for preview in previews), default=0)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.review", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("stacks", nargs="*", help="stacks to preview (all that have a settings file)")
    parser.add_argument("--base", help="branch or commit the change is going to (origin/main, else main)")
    parser.add_argument("--output", type=Path, help="where the report goes (standard output)")
    return parser.parse_args(arguments)


def _preview(pulumi: Pulumi, stack: str) -> Preview:
    sys.stderr.write(f"preview: {stack} …\n")
    found = pulumi.preview(stack)
    sys.stderr.write(f"preview: {stack}: {words(found)}\n")
    return found


def _settings(base: baseline.Baseline, stacks: Sequence[str]) -> dict[str, list[Difference]]:
    return {stack: settings_changes(*_texts(base, stack)) for stack in stacks}


def _moves(base: baseline.Baseline, pulumi: Pulumi, stack: str) -> list[str]:
    before, after = _texts(base, stack)
    # A state is exported only for the names of what is given up: elsewhere it takes time for nothing.
    held = pulumi.held(stack) if given_up(before, after) else []
    return data_moves(before, after, stack, {one.identity: one.title for one in held})


def _texts(base: baseline.Baseline, stack: str) -> tuple[str | None, str | None]:
    """The stack's settings file, in the base and now."""
    path = f"Pulumi.{stack}.yaml"
    now = base.root / path
    return base.read(path), now.read_text(encoding="utf-8") if now.exists() else None


if __name__ == "__main__":
    sys.exit(main())
