"""The JSON of the secrets API: reading bodies, writing bundles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.azure.keyvault.errors import bad_parameter
from sandbox.azure.keyvault.secret_store import Attributes, Deleted, Version

_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
_VERSION = re.compile(r"[0-9a-f]{32}")
_API_VERSION = re.compile(r"7\.[0-9](-preview\.[0-9]+)?|20[0-9]{2}-[0-9]{2}-[0-9]{2}(-preview)?")
_MAX_VALUE = 25 * 1024
_MAX_TAGS = 15
_MAX_PAGE = 25


def check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise bad_parameter(f"The request URI contains an invalid name: {name}")
    return name


def check_version(version: str) -> str:
    if version and not _VERSION.fullmatch(version):
        raise bad_parameter(f"The request URI contains an invalid version: {version}")
    return version


def check_api_version(query: Mapping[str, str]) -> None:
    given = query.get("api-version")
    if not given:
        raise bad_parameter("api-version must be specified")
    if not _API_VERSION.fullmatch(given):
        raise bad_parameter(
            f"The specified version ({given}) is not recognized. Consider using the latest supported "
            "version (7.6)."
        )


def page_size(query: Mapping[str, str]) -> int:
    given = query.get("maxresults", str(_MAX_PAGE))
    if not given.isdecimal() or not 1 <= int(given) <= _MAX_PAGE:
        raise bad_parameter(f"maxresults must be a number from 1 to {_MAX_PAGE}, not '{given}'.")
    return int(given)


def read_value(body: Mapping[str, Any]) -> str:
    value = body.get("value")
    if not isinstance(value, str):
        raise bad_parameter("Property value is required and must be a string.")
    if len(value.encode()) > _MAX_VALUE:
        raise bad_parameter(f"The secret's value is longer than the {_MAX_VALUE} bytes that are allowed.")
    return value


def read_backup(body: Mapping[str, Any]) -> str:
    value = body.get("value")
    if not isinstance(value, str) or not value:
        raise bad_parameter("Property value is required and must be a backup blob.")
    return value


def read_attributes(body: Mapping[str, Any]) -> Attributes:
    given = body.get("attributes") or {}
    if not isinstance(given, dict):
        raise bad_parameter("Property attributes must be an object.")
    enabled = given.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        raise bad_parameter("Property attributes.enabled must be true or false.")
    content_type = body.get("contentType")
    if content_type is not None and not isinstance(content_type, str):
        raise bad_parameter("Property contentType must be a string.")
    nbf, exp = _seconds(given, "nbf"), _seconds(given, "exp")
    if nbf is not None and exp is not None and exp <= nbf:
        raise bad_parameter("Property attributes.exp must lie behind attributes.nbf.")
    return Attributes(enabled, nbf, exp, content_type, _tags(body.get("tags")))


def _seconds(given: Mapping[str, Any], name: str) -> int | None:
    value = given.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise bad_parameter(f"Property attributes.{name} must be whole seconds since 1970-01-01T00:00:00Z.")
    return value


def _tags(tags: Any) -> Mapping[str, str] | None:
    if tags is None:
        return None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise bad_parameter("Property tags must be an object of strings.")
    if len(tags) > _MAX_TAGS:
        raise bad_parameter(f"A secret can have at most {_MAX_TAGS} tags; {len(tags)} were given.")
    return tags


class Bundles:
    """Writes one vault's bundles: ids are below its URL, attributes tell its recovery level."""

    def __init__(self, base: str, recovery_level: str, retention_days: int) -> None:
        self._base = base.rstrip("/")
        self._level = recovery_level
        self._days = retention_days

    def item(self, version: Version, *, versioned: bool = False) -> dict[str, Any]:
        """A line of a list: everything but the value."""
        attributes = {
            "enabled": version.enabled,
            "nbf": version.nbf,
            "exp": version.exp,
            "created": version.created,
            "updated": version.updated,
            "recoveryLevel": self._level,
            "recoverableDays": self._days,
        }
        tail = f"/{version.version}" if versioned else ""
        item: dict[str, Any] = {
            "id": f"{self._base}/secrets/{version.name}{tail}",
            "attributes": {key: value for key, value in attributes.items() if value is not None},
            "tags": dict(version.tags),
        }
        if version.content_type is not None:
            item["contentType"] = version.content_type
        return item

    def bundle(self, version: Version, *, value: bool = True) -> dict[str, Any]:
        item = self.item(version, versioned=True)
        return {"value": version.value, **item} if value else item

    def deleted(self, deleted: Deleted, *, versioned: bool = True) -> dict[str, Any]:
        return {
            "recoveryId": f"{self._base}/deletedsecrets/{deleted.latest.name}",
            "deletedDate": deleted.deleted_at,
            "scheduledPurgeDate": deleted.purge_at,
            **self.item(deleted.latest, versioned=versioned),
        }
