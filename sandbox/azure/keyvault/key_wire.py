"""The JSON of the keys API: reading bodies, writing bundles. ARM's bodies differ in the names of a few."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.azure.keyvault import wire
from sandbox.azure.keyvault.errors import bad_parameter
from sandbox.azure.keyvault.key_store import OPERATIONS, SIZES, DeletedKey, KeyVersion, Wanted


def read_wanted(kind: Any, size: Any, operations: Any, body: Mapping[str, Any]) -> Wanted:
    """What a key is asked to be; attributes and tags are read from `body`."""
    if kind != "RSA":
        raise bad_parameter(f"The key type {kind!r} is not supported; the sandbox makes RSA keys.")
    if size not in (None, *SIZES):
        raise bad_parameter(f"The key size {size} is not one of {', '.join(map(str, SIZES))}.")
    for operation in operations or ():
        if operation not in OPERATIONS:
            raise bad_parameter(f"{operation!r} is not an operation of an RSA key.")
    attributes = wire.read_attributes(body)
    return Wanted(
        size=size or Wanted.size,
        operations=tuple(operations) if operations else OPERATIONS,
        enabled=attributes.enabled is not False,
        nbf=attributes.nbf,
        exp=attributes.exp,
        tags=attributes.tags or {},
    )


def read_operation(body: Mapping[str, Any], algorithms: Sequence[str]) -> tuple[str, bytes]:
    """The algorithm and the bytes of an encrypt, decrypt, wrapkey or unwrapkey."""
    algorithm, value = body.get("alg"), body.get("value")
    if algorithm not in algorithms:
        raise bad_parameter(f"The algorithm {algorithm!r} is not one of {', '.join(algorithms)}.")
    if not isinstance(value, str) or not value:
        raise bad_parameter("Property value is required and must be base64url.")
    try:
        padded = value + "=" * (-len(value) % 4)
        return str(algorithm), base64.b64decode(padded, altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise bad_parameter("Property value is required and must be base64url.") from error


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def attributes_of(version: KeyVersion) -> dict[str, Any]:
    """What both planes say of a version, without what is not set."""
    wanted = version.wanted
    found = {
        "enabled": wanted.enabled,
        "nbf": wanted.nbf,
        "exp": wanted.exp,
        "created": version.created,
        "updated": version.updated,
    }
    return {name: value for name, value in found.items() if value is not None}


class KeyBundles:
    """Writes one vault's bundles: ids are below its URL, attributes tell its recovery level."""

    def __init__(self, base: str, recovery_level: str, retention_days: int) -> None:
        self._base = base.rstrip("/")
        self._level, self._days = recovery_level, retention_days

    def kid(self, version: KeyVersion) -> str:
        return f"{self._base}/keys/{version.name}/{version.version}"

    def bundle(self, version: KeyVersion) -> dict[str, Any]:
        return {
            "key": {
                "kid": self.kid(version),
                "kty": "RSA",
                "key_ops": list(version.wanted.operations),
                "n": encode(version.modulus),
                "e": encode(version.exponent),
            },
            **self._about(version),
        }

    def item(self, version: KeyVersion, *, versioned: bool = False) -> dict[str, Any]:
        """A line of a list."""
        kid = self.kid(version) if versioned else f"{self._base}/keys/{version.name}"
        return {"kid": kid, **self._about(version)}

    def deleted(self, deleted: DeletedKey, *, whole: bool = True) -> dict[str, Any]:
        return {
            "recoveryId": f"{self._base}/deletedkeys/{deleted.latest.name}",
            "deletedDate": deleted.deleted_at,
            "scheduledPurgeDate": deleted.purge_at,
            **(self.bundle(deleted.latest) if whole else self.item(deleted.latest)),
        }

    def _about(self, version: KeyVersion) -> dict[str, Any]:
        attributes = {"recoveryLevel": self._level, "recoverableDays": self._days, "exportable": False}
        return {
            "attributes": {**attributes_of(version), **attributes},
            "tags": dict(version.wanted.tags),
        }
