"""Azure's queue roles against every operation on messages: each does its own work and nothing else."""

from __future__ import annotations

import pytest

from sandbox.arm.rbac import grants
from sandbox.arm.roles import built_in
from sandbox.azure.storage.permissions import Asked, needs

OPERATIONS = {
    "send": Asked("queue", "POST", "/q/messages", {}),
    "peek": Asked("queue", "GET", "/q/messages", {"peekonly": "true"}),
    "receive": Asked("queue", "GET", "/q/messages", {}),
    "delete": Asked("queue", "DELETE", "/q/messages/1", {"popreceipt": "x"}),
    "update": Asked("queue", "PUT", "/q/messages/1", {"popreceipt": "x"}),
    "clear": Asked("queue", "DELETE", "/q/messages", {}),
    "make": Asked("queue", "PUT", "/q", {}),
    "remove": Asked("queue", "DELETE", "/q", {}),
    "length": Asked("queue", "GET", "/q", {"comp": "metadata"}),
}
MAY = {
    "Storage Queue Data Message Sender": {"send"},
    "Storage Queue Data Message Processor": {"peek", "receive", "delete"},
    "Storage Queue Data Reader": {"peek", "length"},
    "Storage Queue Data Contributor": set(OPERATIONS),
    "Reader": {"length"},
}


@pytest.mark.parametrize("name", MAY)
def test_a_role_permits_its_own_operations(name: str) -> None:
    role = next(one for one in built_in().values() if one.name == name)

    def permits(asked: Asked) -> bool:
        return all(
            any(all(grants(role, each.action, data=each.data) for each in choice) for choice in need.choices)
            for need in needs(asked)
        )

    assert {operation for operation, asked in OPERATIONS.items() if permits(asked)} == MAY[name]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_needed_is_needed_at_the_queue(operation: str) -> None:
    (need,) = needs(OPERATIONS[operation])
    assert need.scope == "queueServices/default/queues/q"
