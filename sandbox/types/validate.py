"""Refuses bodies, names and versions that Azure would refuse, with ARM's error shape."""

from __future__ import annotations

import copy
import re
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.resource import Body
from sandbox.types import cache, table
from sandbox.types.problems import problems

_NUMBER = re.compile(r"-?[0-9]{1,18}")
#: Problems told of at most; a wholly wrong body would otherwise list itself.
_MOST = 20


def row_of(type_name: str) -> table.ArmType:
    """The table row of an ARM type. Raises ARM's 404 InvalidResourceType."""
    row = table.by_arm_type(type_name)
    if row is None:
        namespace, _, rest = type_name.partition("/")
        raise ArmError(
            404,
            "InvalidResourceType",
            f"The resource type '{rest}' could not be found in the namespace '{namespace}'.",
        )
    return row


def check_version(type_name: str, api_version: str) -> None:
    """Refuse a version that the type does not have. Raises ArmError 400 NoRegisteredProviderFound."""
    row = row_of(type_name)
    if not row.accepts(api_version):
        raise bad_request(
            "NoRegisteredProviderFound",
            f"No registered resource provider found for API version '{api_version}' for type '{type_name}'. "
            f"The supported api-versions are '{', '.join(row.versions)}'.",
        )


def check_name(type_name: str, name: str) -> None:
    """Refuse a resource name that breaks the type's naming rule. Raises ArmError 400 InvalidResourceName."""
    rule = row_of(type_name).name
    if rule is not None and not rule.allows(name):
        raise bad_request(
            "InvalidResourceName",
            f"Resource name '{name}' is invalid for type '{type_name}'. It must be {rule.wording}.",
            "name",
        )


def converted(type_name: str, body: Body) -> Body:
    """A body with numbers in place of the strings for which the type takes them."""
    paths = row_of(type_name).numeric_strings
    if not paths:
        return body
    found = copy.deepcopy(body)
    for path in paths:
        *above, last = path.split(".")
        place: Any = found
        for name in above:
            place = place.get(name) if isinstance(place, dict) else None
        if isinstance(place, dict) and isinstance(place.get(last), str) and _NUMBER.fullmatch(place[last]):
            place[last] = int(place[last])
    return found


def validate(type_name: str, body: Body, api_version: str, previous: Body | None = None) -> None:
    """Refuse a wire body (without id, name, type) that the ARM type does not allow.

    `previous` is the stored body of an existing resource: read-only properties are tolerated only when they
    echo it unchanged. Raises ArmError 400 with `target` the JSON path at fault; several problems are its
    `details`.
    """
    check_version(type_name, api_version)
    found = problems(cache.schema(row_of(type_name)), body, previous)
    if not found:
        return
    errors = [bad_request(item.code, item.message, item.path) for item in found[:_MOST]]
    if len(errors) == 1:
        raise errors[0]
    codes = {error.code for error in errors}
    raise ArmError(
        400,
        codes.pop() if len(codes) == 1 else "InvalidRequestContent",
        f"The request content has {len(found)} problems. " + " ".join(error.message for error in errors[:3]),
        errors[0].target,
        errors,
    )
