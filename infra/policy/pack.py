"""The rules as Pulumi policies.

Pulumi gives a policy on one resource its inputs, and a policy on the whole stack everybody's outputs. In the
first preview of an environment the outputs of everything on the cluster are missing altogether, because the
cluster is not there to be asked. So the pack keeps the inputs it is shown, and rules on stacks judge these:
every rule sees what the program asks for, whatever the mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi_policy as sdk
from pulumi_policy.proxy import UnknownValueError

from infra.policy.model import UNKNOWN, Resource, Stack, without_version
from infra.policy.production import is_production
from infra.policy.rule import Level, ResourceRule, Rule, StackRule
from infra.policy.rules import RULES

_LEVELS = {
    Level.MANDATORY: sdk.EnforcementLevel.MANDATORY,
    Level.ADVISORY: sdk.EnforcementLevel.ADVISORY,
}


def policies(rules: Iterable[Rule] = RULES) -> list[sdk.Policy]:
    """One policy per rule, in the order of the rules."""
    seen: dict[str, Resource] = {}
    made = [_policy(rule, seen) for rule in rules]
    return [_recorder(seen), *made]


def _recorder(seen: dict[str, Resource]) -> sdk.Policy:
    """Judges nothing: it keeps what resource policies are shown, by URN."""

    def validate(args: sdk.ResourceValidationArgs, _report: sdk.ReportViolation) -> None:
        seen[args.urn] = _resource(args)

    return sdk.ResourceValidationPolicy(
        name="inputs-are-known",
        description="Keeps the inputs of all resources for the rules on whole stacks.",
        validate=validate,
        enforcement_level=sdk.EnforcementLevel.ADVISORY,
    )


def _policy(rule: Rule, seen: Mapping[str, Resource]) -> sdk.Policy:
    common: dict[str, Any] = {
        "name": rule.name,
        "description": rule.description,
        "enforcement_level": _LEVELS[rule.level],
        "remediation_steps": rule.remedy,
        "url": rule.source,
    }
    if isinstance(rule, ResourceRule):
        return sdk.ResourceValidationPolicy(validate=_on_resource(rule), **common)
    if isinstance(rule, StackRule):
        return sdk.StackValidationPolicy(validate=_on_stack(rule, seen), **common)
    raise TypeError(f"{type(rule).__name__} is no kind of rule that Pulumi can run")


def _on_resource(rule: ResourceRule) -> sdk.ResourceValidation:
    def validate(args: sdk.ResourceValidationArgs, report: sdk.ReportViolation) -> None:
        if rule.types and without_version(args.resource_type) not in rule.types:
            return
        resource = _resource(args)
        if rule.production and not is_production(resource.stack):
            return
        for fault in rule.check(resource):
            report(_message(fault, rule), None)

    return validate


def _on_stack(rule: StackRule, seen: Mapping[str, Resource]) -> sdk.StackValidation:
    def validate(args: sdk.StackValidationArgs, report: sdk.ReportViolation) -> None:
        stack = Stack(tuple(_joined(found, seen.get(found.urn)) for found in args.resources))
        if rule.production and not is_production(stack.name):
            return
        for resource, fault in rule.check(stack):
            report(_message(fault, rule), resource.urn if resource else None)

    return validate


def _message(fault: str, rule: Rule) -> str:
    return f"{fault}. {rule.remedy}"


def _resource(args: sdk.ResourceValidationArgs) -> Resource:
    kind = without_version(args.resource_type)
    return Resource(args.urn, kind, _plain(args.props), args.opts.protect)


def _joined(found: sdk.PolicyResource, known: Resource | None) -> Resource:
    """What the stack says of a resource (how it belongs to others), with the inputs kept earlier."""
    return Resource(
        found.urn,
        without_version(found.resource_type),
        known.inputs if known else _plain(found.props),
        found.opts.protect,
        {key: frozenset(item.urn for item in items) for key, items in found.property_dependencies.items()},
    )


def _plain(value: Any) -> Any:
    """Plain mappings and lists from the SDK's, which raise an error where a value is not known."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_item(value, index) for index in range(len(value))]
    return value


def _item(container: Any, key: Any) -> Any:
    try:
        return _plain(container[key])
    except UnknownValueError:
        return UNKNOWN
