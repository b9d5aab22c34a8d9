"""Azure's built-in roles, as far as this platform uses them: ids and permissions as Microsoft publishes them.

Source: "Azure built-in roles" (learn.microsoft.com/azure/role-based-access-control/built-in-roles).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_TYPE = "Microsoft.Authorization/roleDefinitions"


@dataclass(frozen=True)
class Role:
    """A role definition, built in or custom. `id` is its GUID."""

    id: str
    name: str
    description: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def wire(self, scope: str) -> dict[str, Any]:
        """A built-in role as ARM shows it at `scope` (a subscription's id, or empty)."""
        return {
            "id": f"{scope}/providers/{_TYPE}/{self.id}",
            "name": self.id,
            "type": _TYPE,
            "properties": {
                "roleName": self.name,
                "type": "BuiltInRole",
                "description": self.description,
                "assignableScopes": ["/"],
                "permissions": [
                    {
                        "actions": list(self.actions),
                        "notActions": list(self.not_actions),
                        "dataActions": list(self.data_actions),
                        "notDataActions": list(self.not_data_actions),
                    }
                ],
                "createdOn": "2015-02-02T21:55:09.8806423Z",
                "updatedOn": "2021-11-11T20:13:47.8628684Z",
                "createdBy": None,
                "updatedBy": None,
            },
        }


@cache
def built_in() -> Mapping[str, Role]:
    """By GUID."""
    rows = json.loads((files(__package__) / "roles.json").read_text())
    return {
        row["id"]: Role(
            row["id"],
            row["roleName"],
            row["description"],
            tuple(row["actions"]),
            tuple(row["notActions"]),
            tuple(row["dataActions"]),
            tuple(row["notDataActions"]),
        )
        for row in rows
    }


def custom(name: str, properties: Mapping[str, Any]) -> list[Role]:
    """A custom definition's permissions, one role each: what one grants another may not take away."""
    return [
        Role(
            name,
            str(properties.get("roleName", name)),
            str(properties.get("description", "")),
            tuple(permission.get("actions") or ()),
            tuple(permission.get("notActions") or ()),
            tuple(permission.get("dataActions") or ()),
            tuple(permission.get("notDataActions") or ()),
        )
        for permission in properties.get("permissions") or ()
    ]
