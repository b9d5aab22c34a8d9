"""Where a subscription's events and dead letters may go, checked when it is made.

A destination exists beforehand, the caller may write to it, and the topic has the identity that delivers.
Sources: https://learn.microsoft.com/azure/event-grid/security-authorization and
https://learn.microsoft.com/azure/event-grid/managed-service-identity
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Principal
from sandbox.arm.resource import Body, Resource
from sandbox.azure.eventgrid import settings
from sandbox.azure.eventgrid.settings import Target
from sandbox.azure.eventgrid.subscription_body import within_all
from sandbox.services import Services

_STORAGE = "Microsoft.Storage/storageAccounts"
_KINDS = ("StorageQueue", "WebHook")
_BATCH = (("maxEventsPerBatch", 1, 5000), ("preferredBatchSizeInKilobytes", 1, 1024))
_MOST_HEADERS = 10
_NEVER_EXPIRES = -1


@dataclass(frozen=True)
class _Place:
    """A queue or container in the account of a destination, and what writing it takes."""

    below: str
    name: Any
    action: str


def check(services: Services, principal: Principal, topic: Resource, properties: Body) -> None:
    """Raises ArmError."""
    for plain, wrapped in (
        ("destination", "deliveryWithResourceIdentity"),
        ("deadLetterDestination", "deadLetterWithResourceIdentity"),
    ):
        if properties.get(plain) and properties.get(wrapped):
            raise _invalid(f"Set either {plain} or {wrapped}, not both.", f"properties.{plain}")
    target = settings.destination(properties)
    if target is None:
        raise _invalid("An event subscription needs a destination.", "properties.destination")
    _check_identity(topic, target, "properties.deliveryWithResourceIdentity")
    if target.kind == "StorageQueue":
        _check_queue(services, principal, target)
    elif target.kind == "WebHook":
        _check_webhook(target)
    else:
        raise _not_implemented(
            f"The destination '{target.kind}' is not implemented by the sandbox; it has {', '.join(_KINDS)}.",
            "properties.destination.endpointType",
        )
    letters = settings.dead_letters(properties)
    if letters is not None:
        _check_identity(topic, letters, "properties.deadLetterWithResourceIdentity")
        container = letters.properties.get("blobContainerName")
        place = _Place("blobServices/default/containers", container, "blobServices/containers/write")
        _check_storage(services, principal, letters, place)


def _check_identity(topic: Resource, target: Target, where: str) -> None:
    if target.identity is None or settings.principal(topic, target.identity) is not None:
        return
    named = target.identity.get("userAssignedIdentity") or target.identity.get("type")
    raise _invalid(
        f"The identity '{named}' of the event subscription is not enabled on the topic '{topic.id.name}'.",
        f"{where}.identity",
    )


def _check_queue(services: Services, principal: Principal, target: Target) -> None:
    queue = target.properties.get("queueName")
    place = _Place("queueServices/default/queues", queue, "queueServices/queues/write")
    _check_storage(services, principal, target, place)
    life = target.properties.get("queueMessageTimeToLiveInSeconds")
    if life is not None and life != _NEVER_EXPIRES and (life <= 0 or life != int(life)):
        raise _invalid(
            f"The queueMessageTimeToLiveInSeconds must be a positive whole number or {_NEVER_EXPIRES}, not "
            f"{life}.",
            "properties.destination.properties.queueMessageTimeToLiveInSeconds",
        )


def _check_storage(services: Services, principal: Principal, target: Target, place: _Place) -> None:
    """The container or queue exists, and the caller may write it."""
    account = str(target.properties.get("resourceId") or "").rstrip("/")
    scope = f"{account}/{place.below}/{place.name}"
    if f"/providers/{_STORAGE}/".lower() not in account.lower() or services.store.get(scope) is None:
        raise ArmError(
            400,
            "Endpoint validation",
            f"Destination endpoint not found. Resource details: resourceId: {scope}. Resource should "
            "pre-exist before attempting this operation.",
            "properties.destination",
        )
    needed = f"{_STORAGE}/{place.action}"
    if not services.rbac.allows(principal.object_id, needed, scope):
        raise ArmError(
            403,
            "LinkedAuthorizationFailed",
            f"The client '{principal.client_id}' with object id '{principal.object_id}' has permission to "
            "perform action 'Microsoft.EventGrid/eventSubscriptions/write'; however, it does not have "
            f"permission to perform action(s) '{needed}' on the linked scope(s) '{scope}' (respectively) or "
            "the linked scope(s) are invalid.",
        )


def _check_webhook(target: Target) -> None:
    url = str(target.properties.get("endpointUrl") or "")
    where = "properties.destination.properties"
    if not url.lower().startswith("https://"):
        raise _invalid("The endpointUrl of a webhook must be an HTTPS URL.", f"{where}.endpointUrl")
    if target.properties.get("azureActiveDirectoryApplicationIdOrUri"):
        raise _not_implemented(
            "Webhooks secured with Microsoft Entra ID are not implemented by the sandbox.",
            f"{where}.azureActiveDirectoryApplicationIdOrUri",
        )
    within_all(target.properties, _BATCH, where)
    mappings = target.properties.get("deliveryAttributeMappings") or []
    if len(mappings) > _MOST_HEADERS or not all(map(_is_mapping, mappings)):
        raise _invalid(
            f"At most {_MOST_HEADERS} delivery attributes are allowed, each with a name and a value or a "
            "sourceField.",
            f"{where}.deliveryAttributeMappings",
        )


def _is_mapping(mapping: Mapping[str, Any]) -> bool:
    properties = mapping.get("properties") or {}
    needed = "value" if mapping.get("type") == "Static" else "sourceField"
    return bool(mapping.get("name")) and properties.get(needed) is not None


def _invalid(message: str, target: str) -> ArmError:
    return bad_request("InvalidRequest", message, target)


def _not_implemented(message: str, target: str) -> ArmError:
    return ArmError(501, "NotImplemented", message, target)
