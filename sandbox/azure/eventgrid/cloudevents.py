"""CloudEvents 1.0 as they are published: structured, batched or binary.

Sources: https://github.com/cloudevents/spec/blob/v1.0/http-protocol-binding.md and …/json-format.md; which
content types Event Grid takes: https://learn.microsoft.com/azure/event-grid/cloud-event-schema
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from sandbox.azure.eventgrid import jsonevents
from sandbox.azure.eventgrid.errors import EventGridError, invalid

_SCHEMA = "CloudEventV10"
_STRUCTURED = "application/cloudevents+json"
_BATCHED = "application/cloudevents-batch+json"
_JSON = "application/json"
_REQUIRED = ("specversion", "id", "source", "type")
#: What the service's messages call an attribute, where it is not by its own name.
_CALLED = {"type": "eventType"}
_TEXTS = ("subject", "datacontenttype", "dataschema")
_MEMBERS = ("data", "data_base64")
_ATTRIBUTE = re.compile(r"[a-z0-9]+")
_ADVICE = (
    "Please check required attributes at "
    "https://github.com/cloudevents/spec/blob/v1.0/spec.md#required-attributes"
)

Event = dict[str, Any]


def parse(headers: Mapping[str, str], raw: bytes) -> list[Event]:
    """The events of one request, each in the JSON format. Raises EventGridError."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    binary = any(name.startswith("ce-") for name in headers)
    if media_type == _BATCHED and not binary:
        return [_check(event) for event in jsonevents.read(raw, _SCHEMA, list)]
    if media_type in (_STRUCTURED, _JSON) and not binary:
        return [_check(jsonevents.read(raw, _SCHEMA, dict))]
    if media_type == _JSON:
        return [_check(_binary(headers, raw))]
    if media_type in (_STRUCTURED, _BATCHED):
        raise invalid("Conflicting content mode: binary mode headers with structured mode content type.")
    raise EventGridError(
        415,
        "UnsupportedMediaType",
        "InvalidContentType",
        "The Content-Type header is either missing or it doesn't have a valid value. The content type header "
        f"must either be {_STRUCTURED}; charset=utf-8 or {_BATCHED}; charset=UTF-8.",
    )


def _binary(headers: Mapping[str, str], raw: bytes) -> Event:
    """Attributes from `ce-` headers (percent-encoded), the data from the body."""
    for name in _REQUIRED:
        header = f"ce-{name}"
        if not headers.get(header):
            state = "empty" if header in headers else "missing"
            raise invalid(
                f"{header} header is {state} for the cloud event. {_ADVICE}", "InvalidCloudEventHeader"
            )
    event: Event = {
        name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name.startswith("ce-")
    }
    return event | {"datacontenttype": headers["content-type"], "data": jsonevents.parse(raw)}


def _check(event: Any) -> Event:
    if not isinstance(event, dict):
        raise jsonevents.not_conforming(_SCHEMA, "An event is a JSON object.")
    for name in _REQUIRED:
        jsonevents.require_text(event, name, _SCHEMA, _CALLED.get(name))
    if event["specversion"] != "1.0":
        raise invalid(f"The specversion '{event['specversion']}' is not supported: it must be '1.0'.")
    if all(name in event for name in _MEMBERS):
        raise invalid("An event has either 'data' or 'data_base64', not both.")
    if event.get("time") is not None:
        _check_time(event["time"])
    for name, value in event.items():
        if name not in _MEMBERS:
            _check_attribute(name, value)
    return {name: value for name, value in event.items() if value is not None or name == "data"}


def _check_attribute(name: str, value: Any) -> None:
    if not _ATTRIBUTE.fullmatch(name):
        raise invalid(f"The attribute name '{name}' has characters other than a-z and 0-9.")
    if isinstance(value, dict | list) or (name in _TEXTS and not isinstance(value, str | None)):
        raise invalid(f"The attribute '{name}' has a value of a type that CloudEvents does not allow.")


def _check_time(value: Any) -> None:
    try:
        zoned = datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        zoned = False
    if not zoned:
        raise invalid(f"The time '{value}' is not a timestamp of RFC 3339.")
