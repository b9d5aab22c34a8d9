"""What both schemas' readers share: JSON of the expected kind, and properties that have to be there."""

from __future__ import annotations

from typing import Any

from sandbox import jsonbody
from sandbox.azure.eventgrid.errors import invalid

_TOKENS = {dict: "StartObject", list: "StartArray", str: "String", bool: "Boolean", type(None): "Null"}


def read(raw: bytes, schema: str, kind: type) -> Any:
    """The body, an object or an array as `kind` says. Raises EventGridError; `schema` is the service's name
    of the topic's input schema."""
    value = parse(raw)
    if not isinstance(value, kind):
        raise not_conforming(
            schema, f"Token Expected: {_token(kind)}, Actual Token Received: {_token(value)}."
        )
    return value


def parse(raw: bytes) -> Any:
    if not raw.strip():
        raise invalid("Unexpected end when reading JSON.")
    try:
        return jsonbody.parse(raw)
    except ValueError as error:
        raise invalid(f"The JSON received cannot be read: {error}.") from error


def not_conforming(schema: str, why: str) -> Exception:
    return invalid(
        f"This resource is configured to receive event in '{schema}' schema. The JSON received does not "
        f"conform to the expected schema. {why}"
    )


def require_text(event: dict[str, Any], name: str, schema: str, called: str | None = None) -> str:
    """A property that is a non-empty string. `called` is its name in the message."""
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(
            f"This resource is configured for '{schema}' schema and requires '{called or name}' property to "
            "be set."
        )
    return value


def _token(value: Any) -> str:
    kind = value if isinstance(value, type) else type(value)
    return _TOKENS.get(kind, "Number")
