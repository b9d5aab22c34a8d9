"""What a PUT with `createMode` Restore asks for: `restoreParameters`, read and checked in itself.

https://learn.microsoft.com/azure/cosmos-db/continuous-backup-restore-resource-model
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.regions import normalise
from sandbox.azure.documentdb.account_body import continuous
from sandbox.azure.documentdb.journal_file import microseconds

_AT = "properties.restoreParameters"
_SOURCE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/providers/Microsoft\.DocumentDB/locations/(?P<region>[^/]+)"
    r"/restorableDatabaseAccounts/(?P<instance>[0-9a-f-]{36})/?",
    re.IGNORECASE,
)
_OTHER_APIS = ("gremlinDatabasesToRestore", "tablesToRestore")


def refusal(message: str, name: str = "") -> ArmError:
    """A 400 that names a restore parameter."""
    return bad_request("BadRequest", message, f"{_AT}.{name}" if name else _AT)


@dataclass(frozen=True)
class RestoreRequest:
    """`at` is in microseconds since the epoch. `databases` maps the names of the databases wanted to those
    of their containers (none named means all); None means everything."""

    subscription: str
    region: str
    instance: str
    at: int
    databases: Mapping[str, frozenset[str]] | None
    ttl_disabled: bool

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> RestoreRequest | None:
        """What an account's properties ask for; None when it is no restore. Raises ArmError 400."""
        asked = properties.get("restoreParameters")
        if (properties.get("createMode") or "Default") != "Restore":
            if asked:
                raise refusal("restoreParameters need the createMode Restore.")
            return None
        if not asked:
            raise refusal("The createMode Restore needs restoreParameters.")
        if asked.get("restoreMode", "PointInTime") != "PointInTime":
            raise refusal(f"The restore mode '{asked['restoreMode']}' is not supported.", "restoreMode")
        for name in _OTHER_APIS:
            if asked.get(name):
                raise refusal(f"{name} is not for accounts of the API for NoSQL.", name)
        if properties.get("backupPolicy") and not continuous(properties):
            raise bad_request(
                "BadRequest",
                "A restored account has continuous backup; leave backupPolicy out or set its type to "
                "Continuous.",
                "properties.backupPolicy.type",
            )
        if len(properties.get("locations") or ()) > 1:
            raise bad_request(
                "BadRequest",
                "An account is restored into one region; add other regions when it has been restored.",
                "properties.locations",
            )
        source = _SOURCE.fullmatch(str(asked.get("restoreSource") or ""))
        if source is None:
            raise refusal(
                f"Failed to parse uri '{asked.get('restoreSource')}': the source of a restore is the id of a "
                "restorable database account.",
                "restoreSource",
            )
        return cls(
            subscription=source["subscription"].lower(),
            region=normalise(source["region"]),
            instance=source["instance"].lower(),
            at=moment(asked.get("restoreTimestampInUtc"), f"{_AT}.restoreTimestampInUtc"),
            databases=_databases(asked.get("databasesToRestore")),
            ttl_disabled=bool(asked.get("restoreWithTtlDisabled")),
        )


def moment(text: object, target: str) -> int:
    """An ISO 8601 date with a time, in microseconds since the epoch; without an offset it is UTC.

    Raises ArmError 400 that names `target`.
    """
    try:
        parsed = datetime.fromisoformat(str(text)) if "T" in str(text) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise bad_request(
            "BadRequest",
            f"'{text}' is not a timestamp in ISO 8601 form, like 2026-01-31T12:00:00Z.",
            target,
        )
    return microseconds((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())


def _databases(asked: list[Mapping[str, Any]] | None) -> Mapping[str, frozenset[str]] | None:
    if not asked:
        return None
    wanted = {str(one.get("databaseName")): frozenset(one.get("collectionNames") or ()) for one in asked}
    if len(wanted) != len(asked):
        raise refusal("A database is named more than once.", "databasesToRestore")
    return wanted
