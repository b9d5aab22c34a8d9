"""Outputs of a deployment, evaluated when all its resources are there.

https://learn.microsoft.com/azure/azure-resource-manager/templates/outputs
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Body
from sandbox.azure.deployments import references
from sandbox.azure.deployments.client import Client
from sandbox.azure.deployments.expressions import Functions, check, evaluate
from sandbox.azure.deployments.items import Item
from sandbox.azure.deployments.parameters import TYPES, is_of
from sandbox.azure.deployments.problems import invalid_template, not_here

_KNOWN = {"type", "value", "condition", "metadata"}


def require_valid(section: Mapping[str, Any], functions: Functions, items: Iterable[Item]) -> None:
    """Refuse outputs whose form, types or functions are wrong. Raises ArmError InvalidTemplate."""
    for name, entry in section.items():
        if not isinstance(entry, Mapping):
            raise invalid_template(f"The template output '{name}' must be an object")
        if entry.get("copy") is not None:
            raise not_here("'copy' in outputs")
        if entry.keys() - _KNOWN or "value" not in entry:
            raise invalid_template(f"The template output '{name}' takes a type, a value and a condition")
        if str(entry.get("type", "")).lower() not in TYPES:
            raise invalid_template(
                f"The template output '{name}' has the type '{entry.get('type')}'; allowed are "
                f"{', '.join(TYPES.values())}"
            )
        check(entry.get("condition"), functions)
        check(entry["value"], {*functions, references.NAME})
        for _ in references.within(entry["value"], functions, items):
            pass


async def evaluated(
    section: Mapping[str, Any], functions: Functions, items: Iterable[Item], client: Client
) -> Body:
    """`{name: {"type", "value"}}`; secure ones have no value. Raises DeploymentOutputEvaluationFailed with
    what is wrong with each."""
    found: Body = {}
    failures: list[ArmError] = []
    known = list(items)
    for name, entry in section.items():
        kind = str(entry["type"]).lower()
        try:
            if not evaluate(entry.get("condition", True), functions):
                continue
            value = await references.resolved(entry["value"], functions, known, client)
            if not is_of(value, kind):
                raise invalid_template(f"the value is not of the type '{TYPES[kind]}'")
        except ArmError as error:
            message = f"The template output '{name}' is not valid: {error.message}"
            failures.append(ArmError(error.status, "DeploymentOutputEvaluationFailed", message, name))
            continue
        secure = kind.startswith("secure")
        found[str(name)] = {"type": TYPES[kind], **({} if secure else {"value": value})}
    if failures:
        raise ArmError(
            400,
            "DeploymentOutputEvaluationFailed",
            "Unable to evaluate template outputs: "
            f"'{', '.join(str(failure.target) for failure in failures)}'. Please see error details and "
            "deployment operations.",
            details=failures,
        )
    return found
