"""Reading the settings: everything under `agents:` in `Pulumi.<stack>.yaml`, parsed once.

A wrong setting stops the program before any resource is declared, and the message names the key, what is
wrong with it and what would be right.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any, get_args

import pulumi
from pydantic import BaseModel, SecretStr, ValidationError

from infra.settings import base
from infra.settings.base import NAMESPACE
from infra.settings.model import Settings


class SettingsError(pulumi.RunError):
    """A setting is missing, misspelt or out of range. The message is for the person who edits the file."""


def read(stack: str) -> Settings:
    """The settings of `stack` from the engine's configuration. Raises SettingsError."""
    values = {
        key.removeprefix(f"{NAMESPACE}:"): value
        for key, value in pulumi.runtime.config.CONFIG.get().items()
        if key.startswith(f"{NAMESPACE}:")
    }
    values.setdefault("location", pulumi.Config("azure-native").get("location") or "")
    return parse(values, stack)


def read_source(settings: Settings) -> Settings:
    """The settings of the environment that a backup or recovery stack belongs to. Raises SettingsError."""
    if settings.source is None:
        raise SettingsError(f"{settings.environment} is an environment: it belongs to no other stack")
    return parse(_base(settings.source, base.PROJECT), settings.source)


def parse(values: dict[str, Any], stack: str, project: Path = base.PROJECT) -> Settings:
    """Settings from raw configuration values (strings; structured ones as JSON). Raises SettingsError.

    `project` is the folder with the files of other stacks, whose settings a backup or recovery stack shares.
    """
    values = {"environment": stack, **{key: _decode(value) for key, value in values.items()}}
    if problem := base.misplaced(values):
        raise SettingsError(f"Pulumi.{stack}.yaml cannot be used:\n  - {problem}")
    if values.get("role") in base.BELONGING:
        values = base.inherited(_base(values["source"], project), values)
        if "location" not in values:
            source = values["source"]
            raise SettingsError(
                f"Pulumi.{stack}.yaml cannot be used:\n  - {source} has no second region for this stack to "
                f"be in. Name one: pulumi config set --stack {source} {NAMESPACE}:paired_location REGION"
            )
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = "\n".join(f"  - {_explain(problem)}" for problem in error.errors())
        raise SettingsError(f"Pulumi.{stack}.yaml cannot be used:\n{problems}") from None


def _base(source: str, project: Path) -> dict[str, Any]:
    try:
        found = base.values_of(source, project)
    except base.BaseError as error:
        raise SettingsError(str(error)) from None
    if (role := found.get("role", "environment")) != "environment":
        raise SettingsError(
            f"{NAMESPACE}:source is {source!r}, which is a {role} stack itself; name the environment it is of"
        )
    return found


def _decode(value: Any) -> Any:
    """Structured settings reach the program as JSON text; everything else stays text."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return json.loads(value)
    return value


def _explain(problem: Any) -> str:
    path = [str(part) for part in problem["loc"] if part != "[key]"]
    key = (
        "azure-native:location" if path == ["location"] else ":".join([NAMESPACE, ".".join(path)]).strip(":")
    )
    if problem["type"] == "extra_forbidden":
        return f"{key} is not a setting.{_suggestion(path)}"
    if problem["type"] == "missing":
        path_option = "--path " if len(path) > 1 else ""
        return f"{key} is missing. Set it with: pulumi config set {path_option}{key} VALUE"
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(problem["input"], BaseModel | dict) and problem["type"] == "value_error":
        return f"{key}: {message}."
    if _holds_secrets(path):
        return f"{key} is not what it must be: {message}."
    return f"{key} is {problem['input']!r}: {message}."


def _suggestion(path: list[str]) -> str:
    model, _ = _declared_at(path[:-1])
    known = sorted(model.model_fields)
    close = difflib.get_close_matches(path[-1], known, n=1)
    return f" Did you mean {close[0]}?" if close else f" Known here: {', '.join(known)}."


def _holds_secrets(path: list[str]) -> bool:
    """Whether what was written there may be a secret, or contain one: then it is not shown."""
    _, annotation = _declared_at(path)
    return _secret_in(annotation)


def _secret_in(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_secret_in(field.annotation) for field in annotation.model_fields.values())
    return annotation is SecretStr or any(map(_secret_in, get_args(annotation)))


def _declared_at(path: list[str]) -> tuple[type[BaseModel], Any]:
    """The settings class that the mapping at `path` is parsed into, and the type of the setting there."""
    model: type[BaseModel] = Settings
    annotation: Any = Settings
    for part in path:
        # Whatever is no setting's name is a key or an index in the setting before it, whose class stays.
        if part in model.model_fields:
            annotation = model.model_fields[part].annotation
            model = section_of(annotation) or model
    return model, annotation


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The settings class in an annotation such as `X`, `X | None` or `dict[str, X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(section_of, get_args(annotation))), None)
