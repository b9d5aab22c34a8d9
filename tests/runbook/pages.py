"""Texts for people on call, as tests need them: their headings as anchors, and the runbook's commands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "runbook.md"
RECOVERY = ROOT / "docs" / "recovery.md"
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_ANY_HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    """Of all headings below the title, as GitHub makes them."""
    return {_anchor(title) for title in _ANY_HEADING.findall(document.read_text())}


def sections() -> dict[str, str]:
    """Of the runbook, by anchor: what stands below."""
    parts = _HEADING.split(RUNBOOK.read_text())
    return {_anchor(title): text for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def preparation() -> str:
    """The block that all others need."""
    first = _HEADING.split(RUNBOOK.read_text())[0]
    (block,) = _BLOCK.findall(first)
    return str(block)


def blocks() -> list[tuple[str, str]]:
    """Each block of commands under its section's anchor and its number there."""
    return [
        (f"{anchor}-{number}", block)
        for anchor, text in sections().items()
        for number, block in enumerate(_BLOCK.findall(text), 1)
    ]


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
