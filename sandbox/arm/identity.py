"""The `identity` block of many types: managed identities made, shown and removed with the resource."""

from __future__ import annotations

from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Put
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource
from sandbox.services import Principals, Rbac, Store

_IDENTITY_TYPE = "microsoft.managedidentity/userassignedidentities"
_ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"


def _kinds(identity: Any) -> set[str]:
    """`SystemAssigned, UserAssigned` and its spellings -> {"systemassigned", "userassigned"}."""
    kind = identity.get("type") or "None" if isinstance(identity, dict) else "None"
    return {part.strip().lower() for part in str(kind).split(",")} - {"none", ""}


class Identities:
    """Fills identity blocks. `tenant_id` is the directory they live in."""

    def __init__(self, store: Store, principals: Principals, rbac: Rbac, tenant_id: str) -> None:
        self._store = store
        self._principals = principals
        self._rbac = rbac
        self._tenant_id = tenant_id

    def check(self, put: Put) -> None:
        """User-assigned identities exist, and the caller may assign those that were not assigned before."""
        identity = put.body.get("identity")
        before = _assigned(put.previous.body if put.previous else {})
        for text in _assigned(put.body) if "userassigned" in _kinds(identity) else {}:
            id = parse_id(text)  # noqa: A001
            if id.type.lower() != _IDENTITY_TYPE or self._store.get(id) is None:
                raise bad_request(
                    "FailedIdentityOperation",
                    f"Identity operation for resource '{put.id.text}' failed with error 'Failed to perform "
                    "resource "
                    f"identity operation. Status: 'NotFound'. The identity '{text}' was not found.'.",
                    "identity.userAssignedIdentities",
                )
            if id.key not in {known.lower() for known in before}:
                self._rbac.require(put.principal, _ASSIGN, id.text)

    def fill(self, resource: Resource) -> None:
        """Principal, client and tenant ids, as a GET shows them. Repeatable."""
        identity = resource.body.get("identity")
        if not isinstance(identity, dict):
            return
        kinds = _kinds(identity)
        if "systemassigned" in kinds:
            object_id, _ = self._principals.create(
                resource.id.name, "ManagedIdentity", resource_id=resource.id.text
            )
            identity.update(principalId=object_id, tenantId=self._tenant_id)
        if "userassigned" in kinds:
            identity["userAssignedIdentities"] = {
                text: self._user_assigned(text) for text in _assigned(resource.body)
            }

    def release(self, resource: Resource) -> None:
        """Remove the system-assigned principal of a deleted resource."""
        identity = resource.body.get("identity")
        if "systemassigned" in _kinds(identity) and isinstance(identity, dict) and "principalId" in identity:
            self._principals.remove(identity["principalId"])

    def _user_assigned(self, text: str) -> Body:
        found = self._store.get(text)
        properties = found.properties if found else {}
        return {key: properties[key] for key in ("principalId", "clientId") if key in properties}


def _assigned(body: Body) -> Body:
    """Ids of user-assigned identities; an entry set to null is one taken away."""
    identity = body.get("identity")
    entries = identity.get("userAssignedIdentities") if isinstance(identity, dict) else None
    return {text: value for text, value in (entries or {}).items() if value is not None}
