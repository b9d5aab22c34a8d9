"""One prompt: a Markdown file with YAML front matter, a `# System` and a `# User` part.

The system part is the same for every request (so that providers can cache it); the user part is a sandboxed
Jinja template over the validated input.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

_FRONT_MATTER = re.compile(r"\A---\n(?P<meta>.*?)\n---\n(?P<body>.*)\Z", re.DOTALL)
_PARTS = re.compile(r"\A\s*# System\n(?P<system>.*?)\n# User\n(?P<user>.*)\Z", re.DOTALL)
_TEMPLATES = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False
)


class PromptError(ValueError):
    """A prompt file that cannot be used; the message names file and fault."""


class InputError(ValueError):
    """Input that does not fit the prompt's schema: `problems` as (JSON path, message)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in problems))
        self.problems = problems


class ModelParameters(BaseModel):
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


@dataclass(frozen=True)
class Prompt:
    """A parsed prompt; `name` is the file's stem."""

    name: str
    meta: FrontMatter
    system: str
    user: str

    def render(self, value: dict[str, Any]) -> list[dict[str, str]]:
        """Chat messages for an input. Raises InputError when it does not fit the schema."""
        problems = violations(self.meta.input, value)
        if problems:
            raise InputError(problems)
        user = _TEMPLATES.from_string(self.user).render(value)
        return [{"role": "system", "content": self.system}, {"role": "user", "content": user}]


def violations(schema: dict[str, Any], value: Any) -> list[tuple[str, str]]:
    """Where `value` breaks `schema`: (JSON path, message), empty when it fits."""
    errors = Draft202012Validator(schema).iter_errors(value)
    return sorted((error.json_path, error.message) for error in errors)


def parse(name: str, text: str) -> Prompt:
    """The prompt in a file's text. Raises PromptError."""
    outer = _FRONT_MATTER.match(text)
    if outer is None:
        raise PromptError(f"{name}: expected YAML front matter between two '---' lines at the top")
    parts = _PARTS.match(outer["body"])
    if parts is None:
        raise PromptError(f"{name}: expected a '# System' part followed by a '# User' part")
    try:
        meta = FrontMatter.model_validate(yaml.safe_load(outer["meta"]))
        Draft202012Validator.check_schema(meta.input)
        Draft202012Validator.check_schema(meta.output)
        prompt = Prompt(name, meta, parts["system"].strip(), parts["user"].strip())
        for example in meta.examples:
            prompt.render(example)
    except (yaml.YAMLError, ValidationError, SchemaError, TemplateError, InputError) as error:
        raise PromptError(f"{name}: {error}") from error
    return prompt


def load(folder: Path) -> dict[str, Prompt]:
    """All prompts `<name>.md` of a folder, by name. Raises PromptError when there is none."""
    prompts = {
        file.stem: parse(file.stem, file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.md"))
    }
    if not prompts:
        raise PromptError(f"no prompt in {folder}: expected files <name>.md")
    return prompts
