"""What has to hold before a write: the parent, the place, the ETag, and that nothing else is under way."""

from __future__ import annotations

import re

from sandbox.arm.catalogue import TypeInfo
from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.ids import GROUP_TYPE, SUBSCRIPTION_TYPE, ancestors, child, parent
from sandbox.arm.operations import Operations
from sandbox.arm.rbac import ASSIGNMENT_TYPE
from sandbox.arm.regions import normalise
from sandbox.arm.request import Caller
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.arm.store import SqliteStore

_LONGEST_NAME = 260
#: Scopes of role assignments that only a data plane knows, below resources that ARM stores.
_DATA_SCOPES = {
    "microsoft.containerservice/managedclusters/namespaces",
    "microsoft.keyvault/vaults/certificates",
    "microsoft.keyvault/vaults/keys",
    "microsoft.keyvault/vaults/secrets",
}
_BAD_NAME = re.compile(r"[<>%&\\?\x00-\x1f\x7f]")


def missing(id: ResourceId) -> ArmError:  # noqa: A002
    """404 in ARM's words for what does not exist."""
    if id.type == GROUP_TYPE:
        return ArmError(404, "ResourceGroupNotFound", f"Resource group '{id.name}' could not be found.")
    if id.type == SUBSCRIPTION_TYPE:
        return ArmError(404, "SubscriptionNotFound", f"The subscription '{id.name}' could not be found.")
    if id.type.lower() == ASSIGNMENT_TYPE.lower():
        return ArmError(404, "RoleAssignmentNotFound", f"The role assignment '{id.name}' is not found.")
    relative = "/".join(part for pair in zip(id.type.split("/")[1:], id.names, strict=True) for part in pair)
    where = f" under resource group '{id.group}'" if id.group else ""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{id.type.partition('/')[0]}/{relative}'{where} was not found. For more details "
        "please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def require_ancestors(store: SqliteStore, id: ResourceId, action: str) -> Resource | None:  # noqa: A002
    """The parent of `id`, all of whose ancestors exist; None at the tenant's root."""
    above = [one for one in ancestors(id) if one.type.lower() not in _DATA_SCOPES]
    for ancestor in reversed(above):
        if store.get(ancestor) is None:
            if ancestor.type in (GROUP_TYPE, SUBSCRIPTION_TYPE) or action != "write":
                raise missing(ancestor)
            raise ArmError(
                404,
                "ParentResourceNotFound",
                f"Failed to perform '{action}' on resource(s) of type '{id.type.partition('/')[2]}', "
                "because the "
                f"parent resource '{ancestor.text}' could not be found.",
            )
    return store.get(above[0]) if above else None


def canonical(store: SqliteStore, id: ResourceId, info: TypeInfo) -> ResourceId:  # noqa: A002
    """A new id in Azure's spelling of everything but its own name."""
    above = parent(id)
    found = store.get(above) if above is not None else None
    unknown = above.text if above is not None and above.type.lower() in _DATA_SCOPES else ""
    return child(found.id.text if found else unknown, info.name, id.name)


def require_idle(store: SqliteStore, operations: Operations, id: ResourceId) -> None:  # noqa: A002
    """Nothing above is being deleted, and no other operation runs on the resource itself."""
    for ancestor in ancestors(id):
        if store.pending(ancestor) == "delete":
            if ancestor.type == GROUP_TYPE:
                raise conflict(
                    "ResourceGroupBeingDeleted",
                    f"The resource group '{ancestor.name}' is in deprovisioning state and cannot perform "
                    "this operation.",
                )
            raise conflict(
                "ParentResourceBeingDeleted", f"The parent resource '{ancestor.text}' is being deleted."
            )
    pending = store.pending(id)
    if pending == "delete":
        code = "ResourceGroupBeingDeleted" if id.type == GROUP_TYPE else "ResourceBeingDeleted"
        raise conflict(code, f"The resource '{id.text}' is being deleted; wait until that has ended.")
    if pending == "put" and (running := operations.running(id.key, "put")):
        raise conflict(
            "AnotherOperationInProgress",
            f"Another operation on '{id.text}' is in progress (operation {running[0]}). Retry when it has "
            "ended.",
        )


def plain_name(name: str) -> None:
    """What no resource's name may contain, whatever its type's own rule."""
    if _BAD_NAME.search(name) or len(name) > _LONGEST_NAME:
        raise bad_request(
            "InvalidResourceName",
            f"The resource name '{name}' is longer than {_LONGEST_NAME} characters, or has one of <>%&\\? "
            "or a control "
            "character.",
            "name",
        )


def place(info: TypeInfo, id: ResourceId, body: Body, previous: Resource | None) -> None:  # noqa: A002
    """The location is one the type has, and the one the resource was made in; stored in ARM's spelling."""
    sent = body.get("location")
    if not info.locations or sent is None:
        return
    location = normalise(sent)
    if location not in info.locations:
        raise bad_request(
            "LocationNotAvailableForResourceGroup"
            if info.name == GROUP_TYPE
            else "LocationNotAvailableForResourceType",
            f"The provided location '{sent}' is not available for resource "
            + ("group." if info.name == GROUP_TYPE else f"type '{info.name}'.")
            + f" List of available regions is '{','.join(info.locations)}'.",
        )
    body["location"] = location
    if previous is None or previous.location in (None, location):
        return
    if info.name == GROUP_TYPE:
        raise conflict(
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{previous.location}'.",
        )
    raise conflict(
        "InvalidResourceLocation",
        f"The resource '{id.name}' already exists in location '{previous.location}' in resource group "
        f"'{id.group}'. "
        f"A resource with the same name cannot be created in location '{location}'. Please select a new "
        "resource name.",
    )


def match_etag(caller: Caller, existing: Resource | None, *, needed: bool = False) -> None:
    """If-Match and If-None-Match, as HTTP has them; `needed` refuses a request without If-Match."""
    wanted, unwanted = caller.headers.get("if-match"), caller.headers.get("if-none-match")
    if needed and wanted is None:
        raise ArmError(
            412,
            "PreconditionFailed",
            f"The operation on '{caller.path}' needs the resource's ETag in an If-Match header.",
        )
    etag = existing.body.get("etag") if existing is not None else None
    failed = (
        wanted is not None and (existing is None or (wanted != "*" and etag is not None and wanted != etag))
    ) or (unwanted == "*" and existing is not None)
    if failed:
        raise ArmError(
            412,
            "PreconditionFailed",
            f"The condition '{wanted or unwanted}' specified by the ETag is not satisfied: the resource's "
            "ETag is "
            f"'{etag if existing is not None else 'absent, as there is no such resource'}'.",
        )
