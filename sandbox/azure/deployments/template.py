"""A template with its parameters applied: functions with which everything in it can be evaluated.

https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.deployments import parameters
from sandbox.azure.deployments.expressions import Functions, check, evaluate
from sandbox.azure.deployments.lazy import Lazy
from sandbox.azure.deployments.parameters import TYPES, Parameter
from sandbox.azure.deployments.problems import invalid_template, not_here

_SCHEMA = re.compile(
    r"https?://schema\.management\.azure\.com/schemas/[\w-]+/deploymentTemplate\.json#?", re.IGNORECASE
)
_VERSION = re.compile(r"\d+\.\d+\.\d+\.\d+")
#: How many of each a template may have.
#: https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits
_MOST = {"parameters": 256, "variables": 512, "resources": 800, "outputs": 64}
_MISSING = ("functions", "languageVersion", "definitions", "apiProfile", "imports", "extensions")


@dataclass(frozen=True)
class Template:
    """A template whose sections have the right form. `resources` and `outputs` are as sent."""

    parameters: Mapping[str, Parameter]
    values: Lazy
    #: What its expressions may call; `reference` is not among them.
    functions: Functions
    resources: list[Any]
    outputs: Mapping[str, Any]
    hash: str

    def shown_parameters(self) -> dict[str, Any]:
        """As a GET shows them: no value of a secure one."""
        return {
            parameter.name: {
                "type": TYPES[parameter.type],
                **({} if parameter.secure else {"value": self.values.get(parameter.name)}),
            }
            for parameter in self.parameters.values()
        }


def read(source: Mapping[str, Any], given: Mapping[str, Any], functions: Functions) -> Template:
    """A template and the parameters given to it. Raises ArmError InvalidTemplate, or NotSupported for what
    Azure has and this Azure has not."""
    _head(source)
    resources = source.get("resources")
    if not isinstance(resources, list):
        raise invalid_template("The template has no array 'resources'")
    known = parameters.declared(_section(source, "parameters"))
    values = parameters.values(known, given, functions)
    outputs = _section(source, "outputs")
    for section, found in (("parameters", known), ("resources", resources), ("outputs", outputs)):
        _limit(section, len(found))
    inner = {**functions, "parameters": values.function}
    return Template(known, values, _with_variables(source, inner), resources, outputs, template_hash(source))


def template_hash(source: Mapping[str, Any]) -> str:
    """Equal for equal templates, in the form of Azure's (an unsigned 64-bit number). Azure does not publish
    which hash it takes."""
    canonical = json.dumps(source, sort_keys=True, separators=(",", ":")).encode()
    return str(int.from_bytes(hashlib.sha256(canonical).digest()[:8], "big"))


def _head(source: Mapping[str, Any]) -> None:
    schema = source.get("$schema")
    if not isinstance(schema, str) or not _SCHEMA.fullmatch(schema):
        raise invalid_template(
            f"The template's '$schema' {schema!r} is not that of templates for resource groups: "
            "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
        )
    version = source.get("contentVersion")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise invalid_template(
            f"The template's 'contentVersion' {version!r} is not four numbers, such as 1.0.0.0"
        )
    known = {"$schema", "contentVersion", "metadata", *_MOST}
    for name, value in source.items():
        if name in _MISSING and value:
            raise not_here(f"the section '{name}'")
        if name not in known and name not in _MISSING:
            raise invalid_template(f"Could not find member '{name}' on object of type 'Template'")


def _section(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = source.get(name)
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        raise invalid_template(f"The template's '{name}' must be an object")
    return section


def _limit(section: str, count: int) -> None:
    if count > _MOST[section]:
        raise invalid_template(
            f"The number of template {section} limit exceeded. Limit: {_MOST[section]} and actual: {count}"
        )


def _with_variables(source: Mapping[str, Any], functions: Functions) -> Functions:
    section = {str(name).lower(): (str(name), value) for name, value in _section(source, "variables").items()}
    _limit("variables", len(section))
    if "copy" in section:
        raise not_here("'copy' in variables")

    def compute(key: str) -> Any:
        return evaluate(section[key][1], inner)

    found = Lazy("variable", {key: name for key, (name, _) in section.items()}, compute)
    inner = {**functions, "variables": found.function}
    for _, value in section.values():
        check(value, inner)
    for key in section:
        found.get(key)
    return inner
