"""Settings of servers and databases that are resources of their own: retention, auditing, firewall, …

What they say of backups is kept (`keeper`); the rest is stored and shown.
Sources: https://learn.microsoft.com/rest/api/sql.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.azure.sql import long_term_policy, naming, retention
from sandbox.azure.sql.estate import estate_of
from sandbox.types.table import by_arm_type


class _Policy(Handler):
    """What was sent over what was there before: these policies always exist. Clients take only 200."""

    created_status = 200

    async def fill(self, put: Put) -> Body:
        row = by_arm_type(self.type)
        defaults: Mapping[str, Any] = (row.default_body if row else None) or {}
        before = put.previous.properties if put.previous else {}
        sent = {
            name: value for name, value in (put.body.get("properties") or {}).items() if value is not None
        }
        return {"properties": {**(defaults.get("properties") or {}), **before, **sent}}


class ShortTermHandler(_Policy):
    type = naming.SHORT_TERM

    async def check(self, put: Put) -> None:
        sent = put.body.get("properties") or {}
        days = sent.get("retentionDays")
        if days is not None and not 1 <= days <= 35:
            raise bad_request(
                "InvalidBackupRetentionPeriod",
                f"The retention period of {days} days is not valid. It must be 1 to 35 days.",
                "properties.retentionDays",
            )
        if sent.get("diffBackupIntervalInHours") not in (None, 12, 24):
            raise bad_request(
                "InvalidDiffBackupIntervalInHours",
                "Differential backups are taken every 12 or 24 hours.",
                "properties.diffBackupIntervalInHours",
            )

    async def fill(self, put: Put) -> Body:
        body = await super().fill(put)
        body["properties"].setdefault("diffBackupIntervalInHours", retention.DIFFERENTIAL_HOURS)
        return body

    async def provision(self, resource: Resource) -> None:  # noqa: ARG002
        estate_of(self.services).keeper.look()

    async def delete(self, resource: Resource) -> None:
        database = self.services.store.get(naming.database_id(resource.id))
        if database is not None:
            retention.note(self.services.store, database, resource)


class LongTermHandler(_Policy):
    type = naming.LONG_TERM

    async def check(self, put: Put) -> None:
        sent = put.body.get("properties") or {}
        for name in long_term_policy.NAMES:
            value = sent.get(name)
            days = 0 if value is None else long_term_policy.days(str(value))
            if days != 0 and not 7 <= (days or 0) <= 3650:
                raise bad_request(
                    "LongTermRetentionPolicyInvalid",
                    f"'{value}' is no retention between P1W and P10Y (ISO 8601).",
                    f"properties.{name}",
                )
        week = sent.get("weekOfYear")
        yearly = sent.get("yearlyRetention") not in (None, "PT0S")
        if (yearly and week is None) or not 0 <= (week or 0) <= 52 or (yearly and week == 0):
            raise bad_request(
                "LongTermRetentionPolicyInvalid",
                "The week of the year whose backup is kept for years must be 1 to 52.",
                "properties.weekOfYear",
            )

    async def provision(self, resource: Resource) -> None:  # noqa: ARG002
        estate_of(self.services).keeper.look()


class EncryptionHandler(_Policy):
    type = f"{naming.DATABASE}/transparentDataEncryption"


class AuditingHandler(_Policy):
    type = f"{naming.SERVER}/auditingSettings"

    async def check(self, put: Put) -> None:
        sent = put.body.get("properties") or {}
        if sent.get("state") == "Enabled" and not (
            sent.get("storageEndpoint") or sent.get("isAzureMonitorTargetEnabled")
        ):
            raise bad_request(
                "BlobAuditingInvalidStorageAccountParameters",
                "Auditing needs a target: 'storageEndpoint', or 'isAzureMonitorTargetEnabled'.",
                "properties.state",
            )

    async def fill(self, put: Put) -> Body:
        body = await super().fill(put)
        body["properties"].pop("storageAccountAccessKey", None)
        if body["properties"]["state"] == "Enabled":
            body["properties"].setdefault("auditActionsAndGroups", list(_AUDITED))
        return body


#: What Azure audits unless told otherwise.
_AUDITED = (
    "SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP",
    "FAILED_DATABASE_AUTHENTICATION_GROUP",
    "BATCH_COMPLETED_GROUP",
)


class ExtendedAuditingHandler(AuditingHandler):
    type = f"{naming.SERVER}/extendedAuditingSettings"


class DatabaseAuditingHandler(AuditingHandler):
    type = f"{naming.DATABASE}/auditingSettings"


class ConnectionPolicyHandler(_Policy):
    type = f"{naming.SERVER}/connectionPolicies"


class FirewallRuleHandler(Handler):
    type = naming.FIREWALL_RULE

    async def check(self, put: Put) -> None:
        sent = put.body.get("properties") or {}
        ends = []
        for name in ("startIpAddress", "endIpAddress"):
            try:
                ends.append(IPv4Address(sent.get(name)))
            except ValueError as error:
                raise bad_request(
                    "InvalidIpAddress", f"'{sent.get(name)}' is no IPv4 address.", f"properties.{name}"
                ) from error
        if ends[0] > ends[1]:
            raise bad_request(
                "InvalidIpAddressRange",
                f"The range's end {ends[1]} lies before its start {ends[0]}.",
                "properties.endIpAddress",
            )


HANDLERS = (
    ShortTermHandler,
    LongTermHandler,
    EncryptionHandler,
    AuditingHandler,
    ExtendedAuditingHandler,
    DatabaseAuditingHandler,
    ConnectionPolicyHandler,
    FirewallRuleHandler,
)
