"""Reads the Pulumi SDK's Python sources (`pulumi_azure_native`) without importing them.

Importing a module of the SDK takes seconds and a hundred megabytes; its generated sources are regular, so
the few classes a type needs are found by their headers and parsed alone. Owns: where a class is, what
properties it declares, and the API versions its documentation names.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from itertools import pairwise
from pathlib import Path

PACKAGE = "pulumi-azure-native"

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CLASS = re.compile(r"^class (\w+)\b", re.MULTILINE)
_VERSION = r"\d{4}-\d{2}-\d{2}(?:-[a-z]+)?"
_GETTER = "getter"


@dataclass(frozen=True)
class SdkProperty:
    """One property of an SDK class: its camelCase and Python names, its annotation's source, its text."""

    name: str
    attribute: str
    annotation: str
    required: bool
    doc: str


@cache
def root() -> Path:
    return Path(str(distribution(PACKAGE).locate_file("pulumi_azure_native")))


def file_of(token: str) -> Path:
    """The file of a resource class, e.g. `azure-native:keyvault:Vault` -> keyvault/vault.py."""
    _, module, name = token.split(":")
    return root() / module / f"{_WORD.sub('_', name).lower()}.py"


@cache
def api_versions(token: str) -> list[str]:
    """API versions the SDK's documentation names for a resource class, the default first."""
    text = file_of(token).read_text(encoding="utf-8")
    default = re.search(rf"Uses Azure REST API version ({_VERSION})", text)
    others = re.search(r"Other available API versions: ([^.]*)\.", text)
    return ([default[1]] if default else []) + (re.findall(_VERSION, others[1]) if others else [])


@cache
def _source(path: Path) -> tuple[str, dict[str, tuple[int, int]]]:
    # A module without enums (or inputs) has no such file.
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    starts = [(match[1], match.start()) for match in _CLASS.finditer(text)]
    return text, {name: (start, end) for (name, start), (_, end) in pairwise([*starts, ("", len(text))])}


def class_source(path: Path, name: str) -> str | None:
    """The source of one class without what follows it; None when the file has no such class."""
    text, spans = _source(path)
    if name not in spans:
        return None
    start, end = spans[name]
    return text[start:end].rsplit("\n@", 1)[0] if "\n@" in text[start:end] else text[start:end]


@cache
def properties(path: Path, name: str) -> tuple[SdkProperty, ...] | None:
    """The properties of an input (`VaultArgs`), output (`VaultResponse`) or resource class."""
    source = class_source(path, name)
    if source is None:
        return None
    definition = ast.parse(source).body[0]
    if not isinstance(definition, ast.ClassDef):
        return None
    required = _required(definition)
    found = []
    for item in definition.body:
        if not isinstance(item, ast.FunctionDef) or item.returns is None:
            continue
        wire = _getter_name(item)
        if wire is None:
            continue
        annotation = ast.unparse(item.returns)
        needed = item.name in required if required is not None else not annotation.startswith("Optional[")
        found.append(SdkProperty(wire, item.name, annotation, needed, ast.get_docstring(item) or ""))
    return tuple(found)


def _required(definition: ast.ClassDef) -> set[str] | None:
    """Names of the constructor's keyword-only arguments that have no default."""
    for item in definition.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__" and item.args.kwonlyargs:
            pairs = zip(item.args.kwonlyargs, item.args.kw_defaults, strict=True)
            return {argument.arg for argument, default in pairs if default is None}
    return None


def _getter_name(function: ast.FunctionDef) -> str | None:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Attribute) and decorator.attr == _GETTER:
            return function.name
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "attr", None) == _GETTER:
            for keyword in decorator.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    return str(keyword.value.value)
    return None


@cache
def enum_values(path: Path, name: str) -> tuple[str, ...] | None:
    """The values of an SDK enum; None when there is no such enum."""
    source = class_source(path, name)
    if source is None:
        return None
    return tuple(
        ast.literal_eval(value) for value in re.findall(r"^    [A-Z_0-9]+ = (.+)$", source, re.MULTILINE)
    )
