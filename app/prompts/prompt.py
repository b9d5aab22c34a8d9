"""One prompt: a Markdown file with YAML front matter, a `# System` and a `# User` part.

The system part is the same for every request (so that providers can cache it); the user part is a sandboxed
Jinja template over the validated input. Text of others stands between `<data …>` and `</data>`, and no value
can write either of them, nor the marks by which chat templates tell one role from another: where the data
ends is said by the template alone.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

_FRONT_MATTER = re.compile(r"\A---\n(?P<meta>.*?)\n---\n(?P<body>.*)\Z", re.DOTALL)
_PARTS = re.compile(r"\A\s*# System\n(?P<system>.*?)\n# User\n(?P<user>.*)\Z", re.DOTALL)
#: What closes a fence, opens one, or is a control token of ChatML and Llama's chat templates.
_MARKS = re.compile(r"<(?=\s*/?\s*data\b|\|)|(?<=\|)>|\[(?=/?INST\])", re.IGNORECASE)
_ESCAPED = {"<": "&lt;", ">": "&gt;", "[": "&#91;"}


class PromptError(ValueError):
    """A prompt file that cannot be used; the message names file and fault."""


class InputError(ValueError):
    """Input that does not fit the prompt's schema: `problems` as (JSON path, message)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in problems))
        self.problems = problems


class ModelParameters(BaseModel):
    """What the answer may cost, and how it is drawn; reasoning models draw as they like.

    `max_tokens` are those of the answer itself: what a model thinks comes on top.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float = Field(default=0.2, ge=0, le=2)
    max_tokens: int = Field(default=1024, ge=1, le=16384)


class FrontMatter(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    description: str
    model: ModelParameters = ModelParameters()
    input: dict[str, Any]
    output: dict[str, Any]
    examples: list[dict[str, Any]] = Field(min_length=1)


def _as_data(value: Any) -> str:
    """What a template writes for a value; an undefined one raises here."""
    return _MARKS.sub(lambda mark: _ESCAPED[mark[0]], str(value))


_TEMPLATES = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False, finalize=_as_data
)


@dataclass(frozen=True)
class Prompt:
    """A parsed prompt; `name` is the file's stem up to its first dot."""

    name: str
    meta: FrontMatter
    system: str
    user: str

    def render(self, value: dict[str, Any]) -> list[dict[str, str]]:
        """Chat messages for an input. Raises InputError when it does not fit the schema."""
        problems = violations(self.meta.input, value) or _unwritable(value)
        if problems:
            raise InputError(problems)
        return [
            {"role": "system", "content": self.system},
            {"role": "user", "content": self.render_user(value)},
        ]

    def render_user(self, value: dict[str, Any]) -> str:
        """The user part alone, whether or not the value fits the schema. Raises jinja2's TemplateError."""
        return _compiled(self.user).render(value)


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    """Each text once: compiling takes longer than everything else that is done with a prompt."""
    return _TEMPLATES.from_string(text)


_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def violations(schema: dict[str, Any], value: Any) -> list[tuple[str, str]]:
    """Where `value` breaks `schema`: (JSON path, message), empty when it fits."""
    errors = Draft202012Validator(schema, format_checker=_FORMATS).iter_errors(value)
    return sorted((error.json_path, error.message) for error in errors)


def _unwritable(value: dict[str, Any]) -> list[tuple[str, str]]:
    """JSON can spell half a surrogate pair, which no text in UTF-8 can hold."""
    for name, inner in value.items():
        try:
            json.dumps(inner, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return [(f"$.{name}", "holds half a surrogate pair, which is no character")]
    return []


@lru_cache(maxsize=256)
def parse(stem: str, text: str) -> Prompt:
    """The prompt in the text of the file `<stem>.md`: `<name>` or `<name>.<version>`. Raises PromptError.

    The same text gives the same object: judging its schemas by JSON Schema's own takes long, and a folder is
    read again when one of its files has changed.
    """
    name, _, version = stem.partition(".")
    outer = _FRONT_MATTER.match(text)
    if outer is None:
        raise PromptError(f"{stem}: expected YAML front matter between two '---' lines at the top")
    parts = _PARTS.match(outer["body"])
    if parts is None:
        raise PromptError(f"{stem}: expected a '# System' part followed by a '# User' part")
    try:
        meta = FrontMatter.model_validate(yaml.load(outer["meta"], Loader=yaml.CSafeLoader))
        Draft202012Validator.check_schema(meta.input)
        Draft202012Validator.check_schema(meta.output)
        prompt = Prompt(name, meta, parts["system"].strip(), parts["user"].strip())
        for example in meta.examples:
            prompt.render(example)
    except (yaml.YAMLError, ValidationError, SchemaError, TemplateError, InputError) as error:
        raise PromptError(f"{stem}: {error}") from error
    if version and version != meta.version:
        raise PromptError(
            f"{stem}: its file says version {version}, its front matter {meta.version}; rename one of them"
        )
    return prompt


def load(folder: Path) -> dict[str, Prompt]:
    """All prompts of a folder, by their files' stems. Raises PromptError when there is none."""
    prompts = {
        file.stem: parse(file.stem, file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.md"))
    }
    if not prompts:
        raise PromptError(f"no prompt in {folder}: expected files <name>.md")
    return prompts
