"""Pieces of GitHub's Markdown. What comes from a plan or a file is text here, and never becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

#: What a comment on GitHub may hold.
LIMIT = 65_536
#: By this the report's comment is found again, to be updated in place.
MARKER = "<!-- agents-platform: preview -->"


def code(text: str) -> str:
    """Inline code on one line, whatever is in the text; for use in tables, too."""
    line = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def prose(text: str) -> str:
    """Text on one line in which nothing is markup, a mention or a link."""
    line = " ".join(text.split())
    escaped = re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", line)
    return escaped.replace("@", "@\u200b").replace("://", ":\u200b//")


def fenced(text: str, language: str = "") -> str:
    """A block of text as it is."""
    fence = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def details(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 rule`, `3 rules`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
