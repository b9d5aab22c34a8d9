"""`Microsoft.OperationalInsights/workspaces`: keys, retention, and two weeks to bring a deleted one back."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.account_keys import account_keys

TYPE = "Microsoft.OperationalInsights/workspaces"
RECOVERY_DAYS = 14
_DELETION = ("deletionDate", "scheduledPurgeDate")
_SKUS = (
    "PerGB2018",
    "CapacityReservation",
    "LACluster",
    "Standalone",
    "PerNode",
    "Free",
    "Standard",
    "Premium",
)
_RESERVATIONS = (100, 200, 300, 400, 500, 1000, 2000, 5000, 10_000, 25_000, 50_000)
_RETENTION = (30, 730)


class WorkspaceHandler(Handler):
    type = TYPE

    def actions(self) -> Mapping[str, Action]:
        return {"sharedKeys": self._shared_keys, "regenerateSharedKey": self._regenerate}

    def operations(self) -> Sequence[Operation]:
        action = "Microsoft.OperationalInsights/deletedWorkspaces/read"
        provider = "providers/Microsoft.OperationalInsights/deletedWorkspaces"
        return (
            Operation("GET", f"/subscriptions/{{subscription}}/{provider}", action, self._deleted),
            Operation(
                "GET",
                f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/{provider}",
                action,
                self._deleted,
            ),
        )

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        sku = properties.get("sku") or {"name": "PerGB2018"}
        names = {name.lower(): name for name in _SKUS}
        if str(sku.get("name")).lower() not in names:
            raise bad_request(
                "BadRequest",
                f"Invalid pricing tier '{sku.get('name')}'; one of {', '.join(_SKUS)}.",
                "properties.sku.name",
            )
        level = sku.get("capacityReservationLevel")
        if (level is not None) != (names[str(sku["name"]).lower()] == "CapacityReservation") or (
            level is not None and level not in _RESERVATIONS
        ):
            raise bad_request(
                "BadRequest",
                f"The capacity reservation level {level} does not fit the pricing tier '{sku['name']}'; with "
                f"CapacityReservation it is one of {', '.join(map(str, _RESERVATIONS))}.",
                "properties.sku.capacityReservationLevel",
            )
        days, (least, most) = properties.get("retentionInDays"), _RETENTION
        if days is not None and not least <= days <= most:
            raise bad_request(
                "InvalidParameter",
                f"'RetentionInDays' property doesn't match the SKU limits: {days} is not from {least} to "
                f"{most}.",
                "properties.retentionInDays",
            )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        sent = {key: value for key, value in (body.get("properties") or {}).items() if value is not None}
        now = datetime.now(UTC)
        stamp = now.isoformat().replace("+00:00", "Z")
        deleted = self._find_deleted(put.id) if put.previous is None else None
        before = put.previous.properties if put.previous else {}
        if deleted is not None:
            # Made again within two weeks, it is the same workspace with its data and its id.
            before = {key: value for key, value in deleted.properties.items() if key not in _DELETION}
        sku = {"name": "PerGB2018", **(sent.get("sku") or {})}
        capping = {"dailyQuotaGb": -1.0, **(sent.get("workspaceCapping") or {})}
        reset = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        body["properties"] = {
            "retentionInDays": 30,
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
            **sent,
            "features": {"enableLogAccessUsingOnlyResourcePermissions": True, **(sent.get("features") or {})},
            "sku": {**sku, "lastSkuUpdate": (before.get("sku") or {}).get("lastSkuUpdate", stamp)},
            "workspaceCapping": {
                **capping,
                "quotaNextResetTime": reset.isoformat().replace("+00:00", "Z"),
                "dataIngestionStatus": "RespectQuota",
            },
            "customerId": before.get("customerId", str(uuid.uuid4())),
            "createdDate": before.get("createdDate", stamp),
            "modifiedDate": stamp,
        }
        return body

    async def provision(self, resource: Resource) -> None:
        deleted = self._find_deleted(resource.id)
        if deleted is not None:
            self.services.store.purge(deleted)

    async def delete(self, resource: Resource) -> None:
        if self._find_deleted(resource.id) is None:
            self.services.store.keep_deleted(resource, days=RECOVERY_DAYS)

    async def _shared_keys(self, call: Call) -> Any:
        keys = account_keys(self.services.config.state)
        return {
            "primarySharedKey": keys.get(call.resource, 1),
            "secondarySharedKey": keys.get(call.resource, 2),
        }

    async def _regenerate(self, call: Call) -> Any:
        keys = account_keys(self.services.config.state)
        for slot in (1, 2):
            keys.regenerate(call.resource, slot)
        return await self._shared_keys(call)

    async def _deleted(self, call: OperationCall) -> Answer:
        group = call.parameters.get("group", "").lower()
        found = [
            {**one.wire(), "properties": {k: v for k, v in one.properties.items() if k not in _DELETION}}
            for one in self.services.store.deleted(TYPE)
            if not group or str(one.id.group).lower() == group
        ]
        return Answer(body={"value": found})

    def _find_deleted(self, id: ResourceId) -> Resource | None:  # noqa: A002
        return next((one for one in self.services.store.deleted(TYPE) if one.id == id), None)
