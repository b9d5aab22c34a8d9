"""An event subscription's body: what it may say, the defaults, and how a GET shows it.

Sources: https://learn.microsoft.com/azure/event-grid/subscription-creation-schema, …/event-filtering and
…/manage-event-delivery for the bounds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.resource import Body, Resource
from sandbox.azure.eventgrid import filters, settings
from sandbox.azure.eventgrid.formats import DELIVERABLE

_MOST_FILTERS = _MOST_VALUES = 25
_LONGEST_VALUE = 512
#: (property of retryPolicy, least, most)
_RETRY = (("maxDeliveryAttempts", 1, 30), ("eventTimeToLiveInMinutes", 1, 1440))


def check(properties: Body, topic: Resource) -> None:
    """Raises ArmError 400; destinations are `destinations.check`'s."""
    schema(properties, topic)
    policy = properties.get("retryPolicy") or {}
    for name, least, most in _RETRY:
        _within(policy.get(name), least, most, f"properties.retryPolicy.{name}")
    _check_filters((properties.get("filter") or {}).get("advancedFilters") or [])
    ends = properties.get("expirationTimeUtc")
    if ends is not None and not _in_future(str(ends)):
        raise _invalid("Invalid expiration time.", "properties.expirationTimeUtc")


def schema(properties: Body, topic: Resource) -> str:
    """The delivery schema in its own spelling; by default the one that is published in."""
    published = str(topic.properties["inputSchema"])
    sent = str(properties.get("eventDeliverySchema") or published)
    found = next((name for name in DELIVERABLE[published] if name.lower() == sent.lower()), None)
    if found is None:
        raise _invalid(
            f'The specified EventDeliverySchema value "{sent}" cannot be used in combination with the '
            f"topic's input schema of {published}.",
            "properties.eventDeliverySchema",
        )
    return found


def fill(sent: Body, topic: Resource) -> Body:
    body = copy.deepcopy(sent)
    given = {key: value for key, value in (body.get("properties") or {}).items() if value is not None}
    policy = {key: value for key, value in (given.get("retryPolicy") or {}).items() if value is not None}
    wanted = {key: value for key, value in (given.get("filter") or {}).items() if value is not None}
    body["properties"] = {
        "labels": [],
        **given,
        "topic": topic.id.text,
        "eventDeliverySchema": schema(given, topic),
        "filter": {"subjectBeginsWith": "", "subjectEndsWith": "", **wanted},
        "retryPolicy": {
            "maxDeliveryAttempts": settings.ATTEMPTS,
            "eventTimeToLiveInMinutes": settings.TIME_TO_LIVE,
            **policy,
        },
    }
    return body


def shown(resource: Resource) -> Body:
    """As a GET answers it: webhooks without their query, secret headers without their value."""
    body = copy.deepcopy(resource.wire())
    target = settings.destination(body["properties"])
    # `target.properties` is part of the copied body, not a copy of it.
    if target is not None and target.kind == "WebHook" and isinstance(target.properties, dict):
        url = str(target.properties.pop("endpointUrl", ""))
        target.properties["endpointBaseUrl"] = url.partition("?")[0]
        for mapping in target.properties.get("deliveryAttributeMappings") or ():
            if (mapping.get("properties") or {}).get("isSecret"):
                mapping["properties"]["value"] = None
    return body


def _check_filters(conditions: list[Body]) -> None:
    where = "properties.filter.advancedFilters"
    if len(conditions) > _MOST_FILTERS:
        raise _invalid(f"At most {_MOST_FILTERS} advanced filters are allowed.", where)
    if sum(len(_values(condition)) for condition in conditions) > _MOST_VALUES:
        raise _invalid(f"At most {_MOST_VALUES} filter values are allowed in all advanced filters.", where)
    for number, condition in enumerate(conditions):
        _check_condition(condition, f"{where}[{number}]")


def _check_condition(condition: Body, where: str) -> None:
    key, operator = condition.get("key"), str(condition.get("operatorType"))
    if not key or not all(str(key).split(".")):
        raise _invalid("An advanced filter needs the key that it is about.", f"{where}.key")
    if operator in ("IsNotNull", "IsNullOrUndefined"):
        return
    values = _values(condition)
    if not values:
        raise _invalid(f"The operator {operator} needs something to compare with.", where)
    for value in values:
        if isinstance(value, str) and len(value) > _LONGEST_VALUE:
            raise _invalid(f"A filter value has at most {_LONGEST_VALUE} characters.", f"{where}.values")
        if operator.endswith("InRange") and not _is_range(value):
            raise _invalid("A range is an array of two numbers, the smaller first.", f"{where}.values")


def _values(condition: Mapping[str, Any]) -> list[Any]:
    single = condition.get("value")
    return list(condition.get("values") or ([] if single is None else [single]))


def _is_range(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    low, high = value
    return filters.is_number(low) and filters.is_number(high) and bool(low <= high)


def _in_future(text: str) -> bool:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return False
    return found.replace(tzinfo=found.tzinfo or UTC) > datetime.now(UTC)


def _within(value: Any, least: int, most: int, where: str) -> None:
    if value is not None and not least <= value <= most:
        name = where.rpartition(".")[2]
        raise _invalid(f"The {name} must be between {least} and {most}, not {value}.", where)


def within_all(properties: Mapping[str, Any], bounds: Iterable[tuple[str, int, int]], where: str) -> None:
    """Raise ArmError 400 for a property that is set and out of its bounds."""
    for name, least, most in bounds:
        _within(properties.get(name), least, most, f"{where}.{name}")


def _invalid(message: str, target: str) -> ArmError:
    return bad_request("InvalidRequest", message, target)
