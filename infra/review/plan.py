"""A plan: what `pulumi preview --json` says would happen to a stack's resources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from infra.policy.model import without_version

#: What the engine writes for a value that it does not know yet (sdk/go/common/resource/plugin).
_NOT_KNOWN_YET = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
MISSING: Final = object()
_EXITED = "an unhandled error occurred: Program exited with non-zero exit code"
_STEP = re.compile(r"""\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.\[\]]+)""")


class PlanError(ValueError):
    """The text is not a plan; the message says what it is instead."""


class Action(Enum):
    """What happens to a resource. FORGET: it leaves the state, but Azure keeps it (`retainOnDelete`)."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"
    IMPORT = "import"


# https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/step.go lists the engine's operations.
_ACTIONS = {
    "create": Action.CREATE,
    "update": Action.UPDATE,
    "replace": Action.REPLACE,
    "create-replacement": Action.REPLACE,
    "import-replacement": Action.REPLACE,
    "delete-replaced": Action.REPLACE,
    "delete": Action.DELETE,
    "import": Action.IMPORT,
}

#: Steps that decide on a replacement; a deletion follows, or comes first.
_DECIDED = ("replace", "create-replacement", "import-replacement")


@dataclass(frozen=True)
class PropertyChange:
    """`before` and `after` are MISSING where there is no value; secrets are `[secret]` already."""

    path: str
    replaces: bool
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """One resource and what happens to it.

    `retained`: what is replaced or leaves the program stays in Azure (`retainOnDelete`). `vanished`: the
    state has it and Azure does not, so that it is made anew. `left_over`: an earlier replacement was
    interrupted before it deleted this, the replaced one.
    """

    urn: str
    type: str
    action: Action
    properties: tuple[PropertyChange, ...] = ()
    protected: bool = False
    retained: bool = False
    vanished: bool = False
    left_over: bool = False

    @property
    def key(self) -> tuple[str, bool]:
        """What a resource has one of in a plan."""
        return self.urn, self.left_over

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]

    @property
    def reasons(self) -> tuple[PropertyChange, ...]:
        """The properties that make a replacement necessary."""
        return tuple(change for change in self.properties if change.replaces)


@dataclass(frozen=True)
class Plan:
    """`errors`: why the preview failed; the plan is then what the engine had found out until there."""

    changes: tuple[Change, ...]
    unchanged: int
    errors: tuple[str, ...]
    config: Mapping[str, str]

    def of(self, *actions: Action) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action in actions)


def read(path: Path) -> Plan:
    """Raises PlanError when the file cannot be read or holds no plan."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error.strerror}") from error


def parse(text: str) -> Plan:
    """Raises PlanError when the text is not what `pulumi preview --json` prints."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise PlanError(f"this is not JSON ({error}); `pulumi preview --json` makes it") from error
    if not isinstance(document, dict) or not {"changeSummary", "diagnostics", "steps"} & document.keys():
        raise PlanError("this JSON is no preview; `pulumi preview --json` makes one")
    steps = [step for step in document.get("steps") or [] if _is_resource(step)]
    return Plan(
        changes=tuple(_changes(steps)),
        unchanged=int((document.get("changeSummary") or {}).get("same", 0)),
        errors=tuple(_errors(document)),
        config=document.get("config") or {},
    )


def _errors(document: Mapping[str, Any]) -> list[str]:
    """What went wrong; that something did is said in further messages, which say no more."""
    messages = [
        str(diagnostic.get("message", "")).removeprefix("error: ").strip()
        for diagnostic in document.get("diagnostics") or []
        if diagnostic.get("severity") == "error"
    ]
    found = [message for message in messages if message != "preview failed"]
    return [message for message in found if not message.startswith(_EXITED)] or found


def _is_resource(step: Mapping[str, Any]) -> bool:
    """Not a component, nor the stack itself: they exist in the program only."""
    state = step.get("newState") or step.get("oldState") or {}
    return bool(state.get("custom"))


def _changes(steps: list[dict[str, Any]]) -> Iterator[Change]:
    """One change per resource: a replacement is several steps, of which the last says most."""
    refreshed = {step["urn"] for step in steps if step["op"] == "refresh"}
    replaced = {_old(step) for step in steps if step["op"] in _DECIDED}
    found: dict[tuple[str, bool], Change] = {}
    for step in steps:
        action = _ACTIONS.get(step["op"])
        if action is None:
            continue
        change = _change(
            step,
            action,
            vanished=action is Action.CREATE and step["urn"] in refreshed,
            left_over=step["op"] == "delete-replaced" and _old(step) not in replaced,
        )
        if change.key not in found or change.properties:
            found[change.key] = change
    yield from found.values()


def _old(step: Mapping[str, Any]) -> tuple[str, str]:
    """URN and id of what a step replaces or deletes: two resources may share an URN, not an id."""
    return step["urn"], str((step.get("oldState") or {}).get("id"))


def _change(step: Mapping[str, Any], action: Action, *, vanished: bool, left_over: bool) -> Change:
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    if action is Action.DELETE and old.get("retainOnDelete"):
        action = Action.FORGET
    return Change(
        urn=step["urn"],
        type=without_version(str((new or old)["type"])),
        action=action,
        properties=tuple(_properties(step, old, new)),
        protected=bool(old.get("protect")),
        retained=bool(old.get("retainOnDelete")),
        vanished=vanished,
        left_over=left_over,
    )


def _properties(
    step: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[PropertyChange]:
    detailed = step.get("detailedDiff") or {}
    replacing = set(step.get("replaceReasons") or [])
    for path, difference in sorted(detailed.items()):
        before = old.get("inputs" if difference.get("inputDiff") else "outputs")
        replaces = str(difference.get("kind")).endswith("-replace")
        yield PropertyChange(path, replaces, look_up(before, path), look_up(new.get("inputs"), path))
    # A replacement that no property causes, or a provider that gives no details.
    covered = {_first(path) for path in detailed}
    for key in sorted(replacing | set(step.get("diffReasons") or [])):
        if _first(key) in covered:
            continue
        before, after = (look_up(state.get("inputs"), key) for state in (old, new))
        yield PropertyChange(key, key in replacing, before, after)


def _first(path: str) -> str:
    return next(steps_of(path), path)


def steps_of(path: str) -> Iterator[str]:
    """The names and indices in one of the engine's property paths."""
    for match in _STEP.finditer(path):
        yield match[1] or (match[2].replace('\\"', '"') if match[2] is not None else match[3])


def look_up(value: Any, path: str) -> Any:
    """The value at one of the engine's property paths (`a.b[0]["c.d"]`); MISSING where there is none."""
    for part in steps_of(path):
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return MISSING
    return value


def is_known(value: Any) -> bool:
    """Whether nothing in a value of a plan is yet to be found out."""
    text = json.dumps(value)
    return not any(sentinel in text for sentinel in _NOT_KNOWN_YET)


def shown(value: Any, limit: int = 80) -> str:
    """A value in a line of text, cut to `limit` characters."""
    if value is MISSING:
        return "not set"
    if isinstance(value, str) and value in _NOT_KNOWN_YET:
        return "known after the update"
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    for sentinel in _NOT_KNOWN_YET:
        text = text.replace(f'"{sentinel}"', "known after the update")
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
