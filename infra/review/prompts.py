"""Which prompts and declarations a change touches, and what that means for the agents that use them.

A prompt is `prompts/<agent>/<name>.md`: YAML front matter (version, model parameters, schemas of input and
output) and the text for the model. A declaration is `prompts/<agent>/agent.yaml`: the events that the agent
emits and listens to.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.review.baseline import Baseline
from infra.review.compare import Difference, differences
from infra.review.plan import MISSING, shown

FOLDER = "prompts"
_DECLARATION = "agent.yaml"
_PROMPT = re.compile(r"\A---\n(?P<meta>.*?)\n---\n(?P<text>.*)\Z", re.DOTALL)
#: Lines around a change of the text.
_CONTEXT = 2


@dataclass(frozen=True)
class PromptChange:
    """`facts` differ in the front matter; `warnings` are what a reviewer should not miss."""

    path: str
    headline: str
    facts: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()
    text: str = ""


def prompt_changes(baseline: Baseline) -> list[PromptChange]:
    """Differences between the commit and the working tree."""
    now = sorted(
        path.relative_to(baseline.root).as_posix()
        for pattern in ("*.md", _DECLARATION)
        for path in (baseline.root / FOLDER).rglob(pattern)
    )
    before = (path for path in baseline.files(FOLDER) if path.endswith((".md", _DECLARATION)))
    paths = sorted({*now, *before})
    changes = (
        compare(path, baseline.read(path), _text(baseline.root / path) if path in now else None)
        for path in paths
    )
    return [change for change in changes if change is not None]


def compare(path: str, before: str | None, after: str | None) -> PromptChange | None:
    """What happens to one prompt; None when nothing does."""
    if before == after:
        return None
    if path.endswith(_DECLARATION):
        return _declaration(path, before, after)
    if after is None:
        return PromptChange(path, "is removed", warnings=("callers of this prompt find nothing",))
    new, text = _parts(after)
    if before is None:
        return PromptChange(path, f"is new, version {new.get('version')}")
    old, old_text = _parts(before)
    facts = [found for found in differences(old, new) if found.path != "version"]
    versions = old.get("version"), new.get("version")
    headline = f"goes from version {versions[0]} to {versions[1]}"
    warnings = list(_breaks(facts))
    if versions[0] == versions[1]:
        headline = f"changes and stays version {versions[1]}"
        warnings.insert(0, "its content changes and its version does not")
    return PromptChange(path, headline, tuple(facts), tuple(warnings), _diff(old_text, text))


def _declaration(path: str, before: str | None, after: str | None) -> PromptChange:
    """A declaration says who is told what, so what is no longer emitted is a warning."""
    old, new = _yaml(before or "{}"), _yaml(after or "{}")
    gone = sorted(_emitted(old) - _emitted(new))
    warnings = tuple(f"who listens to {kind} hears nothing any more" for kind in gone)
    if after is None:
        return PromptChange(path, "is removed", warnings=warnings)
    if before is None:
        return PromptChange(path, "is new")
    return PromptChange(path, "changes", tuple(differences(old, new)), warnings)


def _emitted(declaration: dict[str, Any]) -> set[str]:
    emissions = declaration.get("emits") or ()
    return {str(one.get("type") if isinstance(one, dict) else one) for one in emissions}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _parts(prompt: str) -> tuple[dict[str, Any], str]:
    found = _PROMPT.match(prompt)
    if not found:
        return {}, prompt
    return _yaml(found["meta"]), found["text"]


def _yaml(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        found = {"front matter": f"is no YAML: {error}"}
    return found if isinstance(found, dict) else {}


def _breaks(facts: list[Difference]) -> Iterator[str]:
    """Changes of the schemas that those who call the agent, or read its answers, must follow."""
    for fact in facts:
        side, _, rest = fact.path.partition(".")
        if side not in ("input", "output"):
            continue
        if rest.endswith("required") or rest == "required":
            added = [name for name in _names(fact.after) if name not in _names(fact.before)]
            gone = [name for name in _names(fact.before) if name not in _names(fact.after)]
            if side == "input" and added:
                yield f"callers must send {', '.join(added)}"
            if side == "output" and gone:
                yield f"answers may lack {', '.join(gone)}"
        elif rest.endswith(".enum"):
            if gone := [value for value in _names(fact.before) if value not in _names(fact.after)]:
                yield f"{_property(rest)} no longer takes {', '.join(map(str, gone))}"
        elif rest.endswith(".type"):
            yield _retyped(fact, rest)


def _retyped(fact: Difference, path: str) -> str:
    name = _property(path)
    if fact.after is MISSING:
        return f"{name} is gone"
    if fact.before is MISSING:
        return f"{name} is new"
    return f"{name} changes from {shown(fact.before)} to {shown(fact.after)}"


def _property(path: str) -> str:
    return ".".join(part for part in path.split(".")[:-1] if part not in ("properties", "items"))


def _names(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _diff(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=_CONTEXT)
    return "\n".join(list(lines)[2:])
