"""Property values between the engine's protobuf form and plain Python.

A decoded value is made of dict, list, str, int, float, bool, None and three marks the engine sends along:
`UNKNOWN` (not known before something else exists), `Secret` and `Asset`. Whole numbers become int (the wire
knows only doubles, and both ARM and Kubernetes refuse 80.0 for 80).
The signatures are those of sdk/go/common/resource/properties.go in pulumi/pulumi.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

SIGNATURE: Final = rpc._special_sig_key  # noqa: SLF001
_SECRET: Final = rpc._special_secret_sig  # noqa: SLF001
_RESOURCE: Final = rpc._special_resource_sig  # noqa: SLF001
_OUTPUT: Final = rpc._special_output_value_sig  # noqa: SLF001
_ASSETS: Final = (rpc._special_asset_sig, rpc._special_archive_sig)  # noqa: SLF001

Properties = dict[str, Any]


class Unknown:
    """The one value that stands for everything not known yet."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value the engine must keep encrypted. Never nested in another Secret."""

    value: Any


@dataclass(frozen=True)
class Asset:
    """An asset or archive, kept exactly as the engine described it (path, text, uri or assets, and hash)."""

    fields: Mapping[str, Any]


def decode(struct: struct_pb2.Struct) -> Properties:
    """The properties of a request."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def _decode(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "struct_value":
            return _unmark(decode(value.struct_value))
        case _:
            return None


def _unmark(fields: Properties) -> Any:
    match fields.get(SIGNATURE):
        case None:
            return fields
        case rpc._special_secret_sig:  # noqa: SLF001
            return Secret(reveal(fields["value"]))
        case rpc._special_output_value_sig:  # noqa: SLF001
            value = fields.get("value", UNKNOWN)
            return Secret(reveal(value)) if fields.get("secret") else value
        case rpc._special_resource_sig:  # noqa: SLF001
            return fields.get("id") or fields["urn"]
        case signature if signature in _ASSETS:
            return Asset(fields)
        case signature:
            raise ValueError(f"the engine sent a value of a kind this provider does not know ({signature})")


def encode(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as the engine reads them; the inverse of `decode`."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        _encode(value, struct.fields[key])
    return struct


def _mark(value: Any) -> Any:
    """A mark as the wire writes it; anything else unchanged."""
    match value:
        case Unknown():
            return rpc.UNKNOWN
        case Secret():
            return {SIGNATURE: _SECRET, "value": value.value}
        case Asset():
            return value.fields
        case _:
            return value


def _encode(value: Any, into: struct_pb2.Value) -> None:
    match _mark(value):
        case None:
            into.null_value = struct_pb2.NULL_VALUE
        case bool(flag):
            into.bool_value = flag
        case int(number) | float(number):
            into.number_value = number
        case str(text):
            into.string_value = text
        case Mapping() as fields:
            into.struct_value.SetInParent()
            for key, item in fields.items():
                _encode(item, into.struct_value.fields[key])
        case list() | tuple() as items:
            into.list_value.SetInParent()
            for item in items:
                _encode(item, into.list_value.values.add())
        case _:
            raise TypeError(f"cannot send a {type(value).__name__} to the engine")


def transform(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """A copy with `leaf` applied to everything that is neither dict nor list."""
    if isinstance(value, dict):
        return {key: transform(item, leaf) for key, item in value.items()}
    if isinstance(value, list):
        return [transform(item, leaf) for item in value]
    return leaf(value)


def reveal(value: Any) -> Any:
    """A copy with no Secret mark left; what goes over another wire than the engine's."""
    return transform(value, lambda leaf: reveal(leaf.value) if isinstance(leaf, Secret) else leaf)


def _any(value: Any, test: Callable[[Any], bool]) -> bool:
    if test(value):
        return True
    if isinstance(value, dict):
        return any(_any(item, test) for item in value.values())
    if isinstance(value, list):
        return any(_any(item, test) for item in value)
    return isinstance(value, Secret) and _any(value.value, test)


def has_unknown(value: Any) -> bool:
    """Whether anything inside is not known yet."""
    return _any(value, lambda item: item is UNKNOWN)


def has_secret(value: Any) -> bool:
    return _any(value, lambda item: isinstance(item, Secret))


def drop_unknown(value: Any) -> Any:
    """A copy without the entries that are not known yet; list items stay in place as None."""
    if isinstance(value, dict):
        return {key: drop_unknown(item) for key, item in value.items() if item is not UNKNOWN}
    if isinstance(value, list):
        return [drop_unknown(item) for item in value]
    return None if value is UNKNOWN else value


def conceal(value: Any, like: Any) -> Any:
    """Mark as Secret in `value` whatever is Secret at the same place in `like`.

    For outputs that repeat inputs. Lists are matched by position; where lengths differ and `like` holds a
    secret somewhere, the whole list becomes secret rather than risk showing one.
    """
    if isinstance(like, Secret):
        return value if isinstance(value, Secret) else Secret(reveal(value))
    if isinstance(value, Secret):
        return value
    if isinstance(value, dict) and isinstance(like, dict):
        return {key: conceal(item, like.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(like, list):
        if len(value) != len(like):
            return Secret(reveal(value)) if has_secret(like) else value
        return [conceal(item, mark) for item, mark in zip(value, like, strict=True)]
    return value
