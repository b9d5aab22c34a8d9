"""The annotation `pulumi.com/waitFor`: `jsonpath={.path}[=value]`, `condition=Name[=status]`, or a list."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.objects import Object
from sandbox.engine.kubernetes.verdict import READY, Look, Verdict, condition, waiting

_JSONPATH = re.compile(r"^jsonpath=\{(?P<path>[^{}]*)\}(=(?P<value>.*))?$")
_CONDITION = re.compile(r"^condition=(?P<kind>[^=]+)(=(?P<status>.+))?$", re.IGNORECASE)
#: A field, a quoted field, an index, or a choice among list items.
_STEP = re.compile(
    r"""\.?(?P<field>[\w-]+)|\[(?P<index>-?\d+)\]|\['(?P<quoted>[^']+)'\]"""
    r"""|\[\?\(@\.(?P<key>[\w-]+)==["'](?P<equals>[^"']*)["']\)\]"""
)


def parsed(text: str) -> Look:
    """Raises PlugError, quoting what cannot be understood."""
    if text.lstrip().startswith("["):
        try:
            parts = json.loads(text)
        except ValueError as error:
            raise PlugError(f"pulumi.com/waitFor is not a valid JSON list: {text}") from error
        return _every([parsed(part) for part in parts])
    if match := _JSONPATH.match(text):
        return _at(_steps(match["path"], text), match["value"], text)
    if match := _CONDITION.match(text):
        return _condition(match["kind"], match["status"] or "True")
    raise PlugError(
        f"pulumi.com/waitFor is {text!r}; it must be condition=Name[=Status], jsonpath={{.path}}[=value], or "
        "a JSON list of these"
    )


def _every(looks: list[Look]) -> Look:
    def look(client: Client, value: Object) -> Verdict:
        return next((v for v in (each(client, value) for each in looks) if not v.ready), READY)

    return look


def _condition(kind: str, wanted: str) -> Look:
    def look(_client: Client, value: Object) -> Verdict:
        status, _, message = condition(value, kind)
        if status.lower() == wanted.lower():
            return READY
        return waiting(f"condition {kind} is {status or 'not there'}, not {wanted}. {message}".strip())

    return look


def _at(steps: list[re.Match[str]], wanted: str | None, text: str) -> Look:
    def look(_client: Client, value: Object) -> Verdict:
        found = _follow(value, steps)
        if found is not None and (wanted is None or _text(found) == wanted):
            return READY
        return waiting(f"waiting for {text}; it is {'not there' if found is None else _text(found)}")

    return look


def _steps(path: str, text: str) -> list[re.Match[str]]:
    steps, position = [], 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise PlugError(f"pulumi.com/waitFor: cannot read {path[position:]!r} in {text!r}")
        steps.append(match)
        position = match.end()
    return steps


def _follow(value: Any, steps: list[re.Match[str]]) -> Any:
    for step in steps:
        name = step["field"] or step["quoted"]
        if name is not None:
            value = value.get(name) if isinstance(value, dict) else None
        elif not isinstance(value, list):
            return None
        elif step["index"] is not None:
            index = int(step["index"])
            value = value[index] if -len(value) <= index < len(value) else None
        else:
            value = next((item for item in value if item.get(step["key"]) == step["equals"]), None)
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
