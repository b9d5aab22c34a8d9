"""What ARM itself answers, apart from resources: subscriptions, tenants, locations, all resources, operation
statuses, the activity log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from sandbox.arm.activity import ActivityLog
from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.filters import parse_filter
from sandbox.arm.handlers import Handlers
from sandbox.arm.ids import GROUP_TYPE, SUBSCRIPTION_TYPE, parse_id
from sandbox.arm.listing import filtered, tracked
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.operations import FAILED, Operations
from sandbox.arm.preconditions import missing
from sandbox.arm.regions import ALL
from sandbox.arm.resource import Body, Resource
from sandbox.arm.store import SqliteStore
from sandbox.services import Rbac

_READ = "Microsoft.Resources/subscriptions/read"
_GROUP_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"
_WEEK = 7 * 86_400


class Directory:
    def __init__(
        self,
        *,
        store: SqliteStore,
        handlers: Handlers,
        operations: Operations,
        activity: ActivityLog,
        rbac: Rbac,
        tenant_id: str,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._operations = operations
        self._activity = activity
        self._rbac = rbac
        self._tenant_id = tenant_id

    def operations(self) -> Sequence[Operation]:
        """In the form in which handlers declare theirs."""
        subscription = "/subscriptions/{subscription}"
        located = subscription + "/providers/{namespace}/locations/{location}"
        # An empty action: what is answered is filtered by what the caller may read, or is no secret.
        return (
            Operation("GET", "/subscriptions", "", self.subscriptions),
            Operation("GET", subscription, _READ, self.subscription),
            Operation("GET", subscription + "/locations", "", self.locations),
            Operation("GET", "/tenants", "", self.tenants),
            Operation("GET", subscription + "/resourceGroups", "", self.groups),
            Operation("GET", subscription + "/resources", "", self.resources),
            Operation("GET", subscription + "/resourceGroups/{group}/resources", "", self.resources),
            Operation("GET", located + "/operationStatuses/{operation}", "", self.status),
            Operation("GET", located + "/operationResults/{operation}", "", self.result),
            Operation(
                "GET",
                subscription + "/providers/Microsoft.Insights/eventtypes/management/values",
                "Microsoft.Insights/eventtypes/values/read",
                self.events,
            ),
        )

    async def subscriptions(self, call: OperationCall) -> Answer:
        found = self._store.list(type=SUBSCRIPTION_TYPE)
        return _list([self._subscription(each) for each in found if self._sees(call, each)])

    async def subscription(self, call: OperationCall) -> Answer:
        return Answer(body=self._subscription(self._known_subscription(call)))

    async def locations(self, call: OperationCall) -> Answer:
        subscription = self._known_subscription(call).id.name
        return _list([_location(subscription, name) for name in ALL])

    async def tenants(self, _call: OperationCall) -> Answer:
        tenant = {
            "id": f"/tenants/{self._tenant_id}",
            "tenantId": self._tenant_id,
            "tenantCategory": "Home",
            "countryCode": "",
            "displayName": "Default Directory",
            "domains": [],
            "defaultDomain": "",
            "tenantType": "AAD",
        }
        return _list([tenant])

    async def groups(self, call: OperationCall) -> Answer:
        subscription = self._known_subscription(call)
        groups = self._store.list(type=GROUP_TYPE, under=subscription.id.text)
        seen = [
            group
            for group in groups
            if self._rbac.allows(call.principal.object_id, _GROUP_READ, group.id.text)
        ]
        return _list([group.wire() for group in filtered(seen, call.query)])

    async def resources(self, call: OperationCall) -> Answer:
        scope = self._known_subscription(call).id.text
        if "group" in call.parameters:
            group = parse_id(f"{scope}/resourceGroups/{call.parameters['group']}")
            if self._store.get(group) is None:
                raise missing(group)
            scope = group.text
        readable = (
            found
            for found in self._store.list(under=scope)
            if self._rbac.allows(call.principal.object_id, f"{found.id.type}/read", found.id.text)
        )
        return _list(tracked(readable, call.query))

    async def status(self, call: OperationCall) -> Answer:
        operation = self._operations.get(call.parameters["operation"])
        if operation is None:
            raise _no_operation(call)
        return Answer(body=operation.wire(_operation_path(call)), headers=_retry(operation.running))

    async def result(self, call: OperationCall) -> Answer:
        operation = self._operations.get(call.parameters["operation"])
        if operation is None:
            raise _no_operation(call)
        if operation.running:
            return Answer(202, headers=_retry(operation.running))
        if operation.error is not None:
            status = 409 if operation.status == FAILED else 400
            return Answer(status, {"error": operation.error})
        made = self._store.get(operation.key) if operation.kind == "put" else None
        body = await self._handlers.view(made) if made is not None else operation.result
        return Answer(204 if body is None else 200, body)

    async def events(self, call: OperationCall) -> Answer:
        scope = self._known_subscription(call).id.text
        since, until = time.time() - _WEEK, time.time()
        wanted: dict[str, str] = {}
        for term in parse_filter(call.query.get("$filter", "") or "eventTimestamp le '9999-01-01'"):
            if term.field != "eventtimestamp":
                wanted[term.field] = term.value.lower()
            elif term.operator in ("ge", "gt"):
                since = _seconds(term.value)
            else:
                until = _seconds(term.value)
        if "resourcegroupname" in wanted:
            scope = f"{scope}/resourceGroups/{wanted['resourcegroupname']}"
        scope = wanted.get("resourceuri") or wanted.get("resourceid") or scope
        events = self._activity.events(since=since, until=until, under=scope)
        return _list([event for event in events if _selected(event, wanted)])

    def _known_subscription(self, call: OperationCall) -> Resource:
        id = parse_id(f"/subscriptions/{call.parameters['subscription']}")  # noqa: A001
        found = self._store.get(id)
        if found is None:
            raise missing(id)
        return found

    def _sees(self, call: OperationCall, subscription: Resource) -> bool:
        """A subscription is listed for everyone who may read anything in it."""
        return self._rbac.allows(call.principal.object_id, _READ, subscription.id.text) or any(
            self._rbac.allows(call.principal.object_id, f"{found.id.type}/read", found.id.text)
            for found in self._store.list(under=subscription.id.text)
        )

    def _subscription(self, subscription: Resource) -> Body:
        return {
            "id": subscription.id.text,
            "subscriptionId": subscription.id.name,
            "tenantId": self._tenant_id,
            "displayName": subscription.body.get("displayName", subscription.id.name),
            "state": "Enabled",
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": "Off",
            },
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
        }


def _list(values: list[Body]) -> Answer:
    return Answer(body={"value": values})


def _retry(running: bool) -> dict[str, str]:
    return {"Retry-After": "1"} if running else {}


def _location(subscription: str, name: str) -> Body:
    region = ALL[name]
    return {
        "id": f"/subscriptions/{subscription}/locations/{name}",
        "name": name,
        "type": "Region",
        "displayName": region.display,
        "regionalDisplayName": f"({region.geography}) {region.display}",
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended",
            "geography": region.geography,
            "geographyGroup": region.geography,
            "latitude": region.latitude,
            "longitude": region.longitude,
            "physicalLocation": "",
            "pairedRegion": [
                {
                    "name": region.paired,
                    "id": f"/subscriptions/{subscription}/locations/{region.paired}",
                }
            ],
        },
    }


def _operation_path(call: OperationCall) -> str:
    parameters = call.parameters
    return (
        f"/subscriptions/{parameters['subscription']}/providers/{parameters['namespace']}"
        f"/locations/{parameters['location']}/operationStatuses/{parameters['operation']}"
    )


def _no_operation(call: OperationCall) -> ArmError:
    return ArmError(
        404,
        "OperationNotFound",
        f"The operation '{call.parameters['operation']}' was not found, or is too old.",
    )


def _seconds(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise bad_request("BadRequest", f"'{text}' in $filter is not an ISO 8601 time.") from error


def _selected(event: Body, wanted: dict[str, str]) -> bool:
    fields = {
        "caller": event["caller"],
        "correlationid": event["correlationId"],
        "resourceprovider": event["resourceProviderName"]["value"],
        "resourcetype": event["resourceType"]["value"],
        "status": event["status"]["value"],
        "levels": event["level"],
        "operations": event["operationName"]["value"],
    }
    return all(fields[name].lower() == value for name, value in wanted.items() if name in fields)
