"""`Microsoft.Insights/diagnosticSettings` of any resource, and the categories it may choose from."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.preconditions import missing
from sandbox.arm.resource import Body, Resource
from sandbox.azure import checks
from sandbox.azure.insights import categories
from sandbox.azure.insights.components import WORKSPACE_TYPE

TYPE = "Microsoft.Insights/diagnosticSettings"
_CATEGORIES = "Microsoft.Insights/diagnosticSettingsCategories"
_MOST = 5
#: Where a setting may send to, and the type of resource where it can be looked up here.
_DESTINATIONS = {
    "workspaceId": WORKSPACE_TYPE,
    "storageAccountId": "Microsoft.Storage/storageAccounts",
    "eventHubAuthorizationRuleId": None,
    "marketplacePartnerId": None,
}


class DiagnosticSettingHandler(Handler):
    type = TYPE
    created_status = 200

    async def check(self, put: Put) -> None:
        target = parse_id(put.id.scope)
        known = categories.of(target.type)
        if known is None:
            raise bad_request(
                "ResourceTypeNotSupported",
                f"The resource type '{target.type.lower()}' does not support diagnostic settings.",
            )
        properties = put.body.get("properties") or {}
        destinations = _destinations(properties)
        if not destinations:
            raise bad_request(
                "BadRequest",
                "At least one data sink needs to be specified: a workspace, a storage account, an event hub "
                "or a partner.",
                "properties",
            )
        for name, type_name in _DESTINATIONS.items():
            if type_name is not None and properties.get(name):
                checks.require(self.services.store, properties[name], f"properties.{name}", type_name)
        wanted = [*_wanted(properties, "logs", known.logs), *_wanted(properties, "metrics", known.metrics)]
        if not wanted:
            raise bad_request(
                "BadRequest", "At least one log or metric needs to be specified.", "properties.logs"
            )
        self._check_others(put, destinations, set(wanted))

    def _check_others(self, put: Put, destinations: set[tuple[str, str]], wanted: set[str]) -> None:
        """A resource has at most five, and none sends the same to the same place as another."""
        others = [one for one in self._of(put.id.scope) if one.id != put.id]
        if len(others) >= _MOST:
            raise bad_request(
                "DiagnosticSettingsLimitExceeded",
                f"The resource has {_MOST} diagnostic settings, which is the most it can have.",
            )
        for other in others:
            same = destinations & _destinations(other.properties)
            twice = wanted & {
                name for kind in ("logs", "metrics") for name in _enabled(other.properties, kind)
            }
            if same and twice:
                raise conflict(
                    "Conflict",
                    f"Data sink '{min(same)[1]}' is already used in diagnostic setting '{other.id.name}' for "
                    f"category '{min(twice)}'. Data sinks can't be reused in different settings on the same "
                    "category for the same resource.",
                )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body.setdefault("properties", {})
        for kind in ("logs", "metrics"):
            properties[kind] = properties.get(kind) or []
            for entry in properties[kind]:
                entry.setdefault("retentionPolicy", {"enabled": False, "days": 0})
        return body

    def operations(self) -> Sequence[Operation]:
        path = f"/{{+scope}}/providers/{_CATEGORIES}"
        action = f"{_CATEGORIES}/read"
        return (
            Operation("GET", path, action, self._categories),
            Operation("GET", f"{path}/{{name}}", action, self._category),
        )

    async def _categories(self, call: OperationCall) -> Answer:
        return Answer(body={"value": list(self._listed(call))})

    async def _category(self, call: OperationCall) -> Answer:
        for entry in self._listed(call):
            if entry["name"].lower() == call.parameters["name"].lower():
                return Answer(body=entry)
        raise ArmError(404, "NotFound", f"There is no category '{call.parameters['name']}'.")

    def _listed(self, call: OperationCall) -> Iterator[Body]:
        id = parse_id(call.parameters["scope"])  # noqa: A001
        if self.services.store.get(id) is None:
            raise missing(id)
        known = categories.of(id.type) or categories.Categories((), ())
        for name, kind in [
            *((name, "Logs") for name in known.logs),
            *((name, "Metrics") for name in known.metrics),
        ]:
            properties: dict[str, Any] = {"categoryType": kind}
            if kind == "Logs":
                properties["categoryGroups"] = list(categories.GROUPS)
            yield {
                "id": f"{id}/providers/{_CATEGORIES}/{name}",
                "name": name,
                "type": _CATEGORIES.lower(),
                "properties": properties,
            }

    def _of(self, scope: str) -> list[Resource]:
        found = self.services.store.list(type=TYPE, under=scope)
        return [one for one in found if one.id.scope.lower() == scope.lower()]


def _destinations(properties: Body) -> set[tuple[str, str]]:
    return {(name, str(properties[name]).lower()) for name in _DESTINATIONS if properties.get(name)}


def _enabled(properties: Body, kind: str) -> list[str]:
    return [
        str(entry.get("category") or entry.get("categoryGroup")).lower()
        for entry in properties.get(kind) or ()
        if entry.get("enabled")
    ]


def _wanted(properties: Body, kind: str, known: tuple[str, ...]) -> list[str]:
    """The enabled categories and groups of one kind. Raises ArmError 400 for unknown ones."""
    names = {name.lower() for name in known}
    for number, entry in enumerate(properties.get(kind) or ()):
        path = f"properties.{kind}[{number}]"
        category, group = entry.get("category"), entry.get("categoryGroup")
        if (category is None) == (group is None):
            raise bad_request("BadRequest", "An entry names a category or a category group.", path)
        if category is not None and category.lower() not in names:
            raise bad_request("BadRequest", f"Category '{category}' is not supported.", f"{path}.category")
        if group is not None and (
            not names or group.lower() not in {one.lower() for one in categories.GROUPS}
        ):
            raise bad_request(
                "BadRequest", f"Category group '{group}' is not supported.", f"{path}.categoryGroup"
            )
    return _enabled(properties, kind)
