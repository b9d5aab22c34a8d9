"""A commented `Pulumi.<stack>.yaml` with every setting, generated from the types.

uv run python -m infra.settings.template > docs/settings.yaml
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from infra.settings.base import NAMESPACE
from infra.settings.model import Settings
from infra.settings.reading import section_of

_HEAD = """\
# Every setting of a stack, with its default; those without one are marked as required.
# Generated from infra/settings by `uv run python -m infra.settings.template`: do not edit.
config:
"""
#: What stands for a name or a value that only the user knows.
_EXAMPLES = {
    "location": "westeurope",
    "version": "1.0.0",
    "agents": "notification",
    "environment": "dev",
    "tenant": "11111111-2222-3333-4444-555555555555",
    "audience": "api://agents",
    "as_of": '"2026-11-28T09:59:30Z"',
}
#: Set by other means than `agents:`.
_KEYS = {"location": "azure-native:location"}


def render() -> str:
    """The template's text."""
    lines = [line for name, field in Settings.model_fields.items() for line in _setting(name, field)]
    return _HEAD + "\n".join(lines) + "\n"


def _setting(name: str, field: FieldInfo) -> Iterator[str]:
    """A top-level setting: the engine keeps those under its namespace."""
    yield from _entry(_KEYS.get(name, f"{NAMESPACE}:{name}"), name, field, field.default, indent=2)


def _entry(key: str, name: str, field: FieldInfo, default: Any, indent: int) -> Iterator[str]:
    """The lines of one setting; `default` is its value where nothing else is said."""
    pad, section = " " * indent, section_of(field.annotation)
    if section is None or default == {}:
        note = _note(name, field)
        yield f"{pad}{key}: {_value(name, default)}{f'  # {note}' if note else ''}"
        return
    yield from (f"{pad}# {line}".rstrip() for line in _documentation(section))
    if get_origin(field.annotation) is tuple:
        yield f"{pad}{key}: []"
        yield from (f"{pad}#   {line}" for line in _item(section))
        return
    yield f"{pad}{key}:{'  # left out by default' if default is None else ''}"
    if get_origin(field.annotation) is dict:
        indent += 2
        yield f"{' ' * indent}{_EXAMPLES[name]}:"
    for inner, inner_field in section.model_fields.items():
        value = getattr(default, inner) if isinstance(default, BaseModel) else inner_field.default
        yield from _entry(inner, inner, inner_field, value, indent + 2)


def _item(section: type[BaseModel]) -> Iterator[str]:
    """An entry of a list, as an example: it has none by default."""
    lines = [
        line
        for name, field in section.model_fields.items()
        for line in _entry(name, name, field, field.default, indent=0)
    ]
    yield from (f"{'  ' if number else '- '}{line}" for number, line in enumerate(lines))


def _documentation(section: type[BaseModel]) -> list[str]:
    return [line.strip() for line in (section.__doc__ or "").strip().splitlines()]


def _value(name: str, default: Any) -> str:
    if default is PydanticUndefined:
        return str(_EXAMPLES[name])
    if isinstance(default, date):
        return json.dumps(default.isoformat())
    return json.dumps(list(default) if isinstance(default, tuple) else default)


def _note(name: str, field: FieldInfo) -> str:
    required = "the stack's name unless it is set" if name == "environment" else "required"
    notes = [required] if field.is_required() else []
    return ", ".join([*notes, *_constraints(field.annotation, field.metadata)])


def _constraints(annotation: Any, metadata: list[Any]) -> Iterator[str]:
    """What is allowed, as far as the types say it."""
    for limit in metadata:
        for attribute, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most")):
            if getattr(limit, attribute, None) is not None:
                yield f"{words} {getattr(limit, attribute)}"
        if getattr(limit, "multiple_of", None) is not None:
            yield f"a multiple of {limit.multiple_of}"
        if getattr(limit, "pattern", None) is not None:
            yield f"like {limit.pattern.strip('^$')}"
        yield from _constraints(None, getattr(limit, "metadata", []))
    if annotation is SecretStr:
        yield "secret: `pulumi config set --secret --path`"
    elif get_origin(annotation) is Literal:
        yield "one of " + " ".join(map(str, get_args(annotation)))
    elif get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from _constraints(inner, more)
    else:
        for part in get_args(annotation):
            yield from _constraints(part, [])


if __name__ == "__main__":
    print(render(), end="")  # noqa: T201 - its output is the template
