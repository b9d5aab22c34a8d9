"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]], sides: str = "") -> str:
    """A table. `sides` says for each column whether it is to the left (l) or to the right (r).

    Without, the first is text, to the left, and the others are numbers.
    """
    rule = [{"l": ":---", "r": "---:"}[side] for side in sides or "l".ljust(len(heads), "r")]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))
