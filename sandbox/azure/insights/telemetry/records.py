"""Envelopes to rows: which table an item belongs in, and what its columns are made of."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.arm.resource import Resource
from sandbox.azure.insights.telemetry.envelopes import EnvelopeError, time_of
from sandbox.azure.insights.telemetry.naming import workspace_key

Row = dict[str, Any]
_DURATION = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)")
#: Upper bounds in milliseconds, as the portal shows them.
_BUCKETS = (
    (250, "<250ms"),
    (500, "250ms-500ms"),
    (1000, "500ms-1sec"),
    (3000, "1sec-3sec"),
    (7000, "3sec-7sec"),
    (15_000, "7sec-15sec"),
    (30_000, "15sec-30sec"),
    (60_000, "30sec-1min"),
    (120_000, "1min-2min"),
    (300_000, "2min-5min"),
)
_LONGEST = ">=5min"
#: Severities, which some senders spell as words.
_SEVERITIES = ("verbose", "information", "warning", "error", "critical")
#: Column -> the tag it is made of.
_TAGS = {
    "operation_Name": "ai.operation.name",
    "operation_Id": "ai.operation.id",
    "operation_ParentId": "ai.operation.parentId",
    "operation_SyntheticSource": "ai.operation.syntheticSource",
    "session_Id": "ai.session.id",
    "user_Id": "ai.user.id",
    "user_AuthenticatedId": "ai.user.authUserId",
    "application_Version": "ai.application.ver",
    "client_Type": "ai.device.type",
    "client_IP": "ai.location.ip",
    "cloud_RoleName": "ai.cloud.role",
    "cloud_RoleInstance": "ai.cloud.roleInstance",
    "sdkVersion": "ai.internal.sdkVersion",
}


@dataclass(frozen=True)
class Record:
    """One row of a table, of a component (`component`, its key) in a workspace."""

    table: str
    component: str
    workspace: str
    row: Row


def records(item: Mapping[str, Any], component: Resource) -> list[Record]:
    """The rows of an envelope: one, but for metrics one each. Raises EnvelopeError."""
    data = item.get("data")
    kind = data.get("baseType") if isinstance(data, Mapping) else None
    base = data.get("baseData") if isinstance(data, Mapping) else None
    if kind not in _KINDS:
        raise EnvelopeError(f"the type of telemetry '{kind}' is not one of {', '.join(_KINDS)}")
    if not isinstance(base, Mapping):
        raise EnvelopeError("102: Field 'baseData' on type 'Data' is required but missing or empty.")
    table, item_type, rows = _KINDS[kind]
    common = _common(item, base, component, item_type)
    return [
        Record(
            table, component.id.key, workspace_key(component), {**common, **row, "itemId": str(uuid.uuid4())}
        )
        for row in rows(base)
    ]


def _common(item: Mapping[str, Any], base: Mapping[str, Any], component: Resource, item_type: str) -> Row:
    tags = item.get("tags")
    found = tags if isinstance(tags, Mapping) else {}
    rate = item.get("sampleRate")
    return {
        "timestamp": time_of(item),
        "itemType": item_type,
        "customDimensions": _texts(base.get("properties")),
        "customMeasurements": base.get("measurements") or {},
        **{column: found.get(tag) for column, tag in _TAGS.items()},
        "appId": component.properties["AppId"],
        "appName": component.id.name,
        "iKey": component.properties["InstrumentationKey"],
        # An item that was kept for a hundred stands for a hundred.
        "itemCount": round(100 / rate) if isinstance(rate, int | float) and rate > 0 else 1,
        "_ResourceId": component.id.key,
    }


def _request(base: Mapping[str, Any]) -> Iterator[Row]:
    call = _call(base, code="responseCode")
    yield {**call, "source": base.get("source"), "url": base.get("url")}


def _dependency(base: Mapping[str, Any]) -> Iterator[Row]:
    call = _call(base, code="resultCode")
    yield {**call, "target": base.get("target"), "type": base.get("type"), "data": base.get("data")}


def _call(base: Mapping[str, Any], *, code: str) -> Row:
    """What requests and dependencies share. `success` is a text in this schema."""
    duration = _milliseconds(base.get("duration"))
    return {
        "id": base.get("id"),
        "name": base.get("name"),
        "success": str(bool(base.get("success", True))),
        "resultCode": base.get(code),
        "duration": duration,
        "performanceBucket": next((name for most, name in _BUCKETS if duration < most), _LONGEST),
    }


def _message(base: Mapping[str, Any]) -> Iterator[Row]:
    yield {"message": base.get("message"), "severityLevel": _severity(base)}


def _exception(base: Mapping[str, Any]) -> Iterator[Row]:
    details = [one for one in base.get("exceptions") or () if isinstance(one, Mapping)]
    if not details:
        raise EnvelopeError(
            "109: Field 'exceptions' on type 'ExceptionData' is required but missing or empty."
        )
    outer, inner = details[0], details[-1]
    yield {
        "problemId": base.get("problemId") or outer.get("typeName"),
        "type": outer.get("typeName"),
        "outerType": outer.get("typeName"),
        "outerMessage": outer.get("message"),
        "innermostType": inner.get("typeName"),
        "innermostMessage": inner.get("message"),
        "severityLevel": _severity(base),
        "details": details,
    }


def _metrics(base: Mapping[str, Any]) -> Iterator[Row]:
    for point in base.get("metrics") or ():
        value, count = point.get("value"), point.get("count") or 1
        yield {
            "name": point.get("name"),
            "value": value,
            "valueCount": count,
            "itemCount": count,
            "valueSum": value,
            "valueMin": value if point.get("min") is None else point["min"],
            "valueMax": value if point.get("max") is None else point["max"],
            "valueStdDev": point.get("stdDev"),
        }


def _milliseconds(value: Any) -> float:
    """`[d.]hh:mm:ss[.fffffff]`. Raises EnvelopeError."""
    found = _DURATION.fullmatch(str(value))
    if found is None:
        raise EnvelopeError(f"102: Field 'duration' is not of the form d.hh:mm:ss.ffffff: {value}")
    days, hours, minutes, seconds = found.groups()
    return ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60_000 + float(seconds) * 1000


def _severity(base: Mapping[str, Any]) -> int | None:
    value = base.get("severityLevel")
    if isinstance(value, str) and value.lower() in _SEVERITIES:
        return _SEVERITIES.index(value.lower())
    return value if isinstance(value, int) else None


def _texts(properties: Any) -> dict[str, str]:
    if not isinstance(properties, Mapping):
        return {}
    return {str(key): str(value) for key, value in properties.items() if value is not None}


#: Type of an item -> (its table, what the table calls it, its rows).
_KINDS: dict[str, tuple[str, str, Callable[[Mapping[str, Any]], Iterator[Row]]]] = {
    "RequestData": ("requests", "request", _request),
    "RemoteDependencyData": ("dependencies", "dependency", _dependency),
    "MessageData": ("traces", "trace", _message),
    "ExceptionData": ("exceptions", "exception", _exception),
    "MetricData": ("customMetrics", "customMetric", _metrics),
}
