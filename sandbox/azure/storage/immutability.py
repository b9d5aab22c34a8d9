"""Immutability policies and legal holds of containers: write once, read many.

Sources: https://learn.microsoft.com/azure/storage/blobs/immutable-container-level-worm-policies and
https://learn.microsoft.com/azure/storage/blobs/immutable-time-based-retention-policy-overview. What they
forbid in the data plane is `worm`'s. Policies of single blob versions do not exist here.
"""

from __future__ import annotations

import copy
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.arm.store import timestamp
from sandbox.azure.storage.contents import holds_blobs
from sandbox.azure.storage.protection import LOCKED, POLICY, UNLOCKED, container_of
from sandbox.config import TENANT_ID

_PERIOD = "immutabilityPeriodSinceCreationInDays"
_APPENDS = ("allowProtectedAppendWrites", "allowProtectedAppendWritesAll")
_LONGEST = 146_000
_MOST_EXTENSIONS = 5
_MOST_TAGS = 10
_TAG = re.compile(r"[A-Za-z0-9]{3,23}")
#: Where a policy's body keeps what was done with it; shown by the container.
HISTORY = "updateHistory"


class ImmutabilityPolicyHandler(Handler):
    type = POLICY
    created_status = 200
    answers_deleted = True
    delete_needs_etag = True

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        if put.previous is not None and put.previous.properties.get("state") == LOCKED:
            raise _wrong_state()
        _check_period(properties)
        if all(properties.get(name) for name in _APPENDS):
            raise bad_request(
                "InvalidRequestPropertyValue",
                f"{' and '.join(_APPENDS)} cannot both be set.",
                f"properties.{_APPENDS[0]}",
            )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        body["properties"] = {**(body.get("properties") or {}), "state": UNLOCKED}
        before = put.previous.body.get(HISTORY, []) if put.previous else []
        body[HISTORY] = [*before, _entry("put", body["properties"], put.principal.object_id)]
        return body

    async def view(self, resource: Resource) -> Body:
        return {name: value for name, value in resource.wire().items() if name != HISTORY}

    async def check_delete(self, resource: Resource) -> None:
        if resource.properties.get("state") == LOCKED:
            raise _wrong_state()

    async def delete(self, resource: Resource) -> None:
        """Also when its account or group goes: a locked policy does not let go of blobs."""
        container = container_of(self.services.store, resource.id)
        locked = resource.properties.get("state") == LOCKED
        if locked and container is not None and await holds_blobs(self.services, container):
            raise conflict(
                "AccountProtectedFromDeletion",
                f"The container {container.id.name} has a locked immutability policy and holds blobs.",
            )

    def actions(self) -> Mapping[str, Action]:
        return {"lock": self._lock, "extend": self._extend}

    async def _lock(self, call: Call) -> Any:
        _require_version(call)
        if call.resource.properties.get("state") == LOCKED:
            raise _wrong_state()
        call.resource.properties["state"] = LOCKED
        return await self._changed(call, "lock")

    async def _extend(self, call: Call) -> Any:
        _require_version(call)
        properties = call.resource.properties
        sent = call.body.get("properties") or {}
        if properties.get("state") != LOCKED:
            raise _wrong_state()
        _check_period(sent)
        extended = sum(1 for entry in call.resource.body.get(HISTORY, []) if entry["update"] == "extend")
        if sent[_PERIOD] <= properties[_PERIOD] or extended >= _MOST_EXTENSIONS:
            raise conflict(
                "ContainerImmutabilityPolicyFailure",
                f"A locked policy can be extended {_MOST_EXTENSIONS} times, and never be shortened: it is "
                f"{properties[_PERIOD]} days and was extended {extended} times.",
            )
        properties[_PERIOD] = sent[_PERIOD]
        return await self._changed(call, "extend")

    async def _changed(self, call: Call, update: str) -> Any:
        policy = call.resource
        entry = _entry(update, policy.properties, call.principal.object_id)
        policy.body[HISTORY] = [*policy.body.get(HISTORY, []), entry]
        policy.body["etag"] = f'"{uuid.uuid4()}"'
        policy.changed_at = time.time()
        self.services.store.save(policy)
        return await self.view(policy)


def set_hold(container: Resource, sent: Body, who: str) -> None:
    """Add legal hold tags. The caller stores the container. Raises ArmError 400."""
    tags = [str(tag).lower() for tag in sent.get("tags") or []]
    if not tags or not all(_TAG.fullmatch(tag) for tag in tags):
        raise bad_request(
            "InvalidRequestPropertyValue", "A legal hold tag has 3 to 23 letters and digits.", "tags"
        )
    held = {entry["tag"]: entry for entry in _held(container)}
    now = timestamp(time.time())
    for tag in tags:
        held.setdefault(tag, {"tag": tag, "timestamp": now, "objectIdentifier": who, "tenantId": TENANT_ID})
    if len(held) > _MOST_TAGS:
        raise bad_request(
            "InvalidRequestPropertyValue", f"A container has at most {_MOST_TAGS} legal hold tags.", "tags"
        )
    _hold(container, list(held.values()), sent)


def clear_hold(container: Resource, sent: Body) -> None:
    """Take legal hold tags away; those it does not have do not matter."""
    gone = {str(tag).lower() for tag in sent.get("tags") or []}
    _hold(container, [entry for entry in _held(container) if entry["tag"] not in gone], {})


def hold_answer(container: Resource) -> Body:
    """What the two actions answer."""
    tags = [entry["tag"] for entry in _held(container)]
    return {"hasLegalHold": bool(tags), "tags": tags}


def _held(container: Resource) -> list[Body]:
    return list((container.properties.get("legalHold") or {}).get("tags") or [])


def _hold(container: Resource, tags: list[Body], sent: Body) -> None:
    hold: Body = {"hasLegalHold": bool(tags), "tags": tags}
    before = (container.properties.get("legalHold") or {}).get("protectedAppendWritesHistory")
    appends = sent.get("allowProtectedAppendWritesAll")
    if tags and appends is not None:
        hold["protectedAppendWritesHistory"] = {
            "allowProtectedAppendWritesAll": appends,
            "timestamp": timestamp(time.time()),
        }
    elif tags and before:
        hold["protectedAppendWritesHistory"] = before
    container.properties["legalHold"] = hold


def _check_period(properties: Mapping[str, Any]) -> None:
    period = properties.get(_PERIOD)
    if not isinstance(period, int) or not 1 <= period <= _LONGEST:
        raise bad_request(
            "InvalidRequestPropertyValue",
            f"The {_PERIOD} must be between 1 and {_LONGEST}, not {period}.",
            f"properties.{_PERIOD}",
        )


def _require_version(call: Call) -> None:
    """Raises ArmError 412 unless the request names the policy's version."""
    if call.headers.get("if-match") not in (call.resource.body.get("etag"), "*"):
        raise ArmError(
            412,
            "ContainerImmutabilityPolicyFailure",
            "Operation not allowed on immutability policy with incorrect etag.",
        )


def _wrong_state() -> ArmError:
    return conflict(
        "ContainerImmutabilityPolicyFailure",
        "Operation not allowed on immutability policy with current state.",
    )


def _entry(update: str, properties: Mapping[str, Any], who: str) -> Body:
    return {
        "update": update,
        _PERIOD: properties[_PERIOD],
        "timestamp": timestamp(time.time()),
        "objectIdentifier": who,
        "tenantId": TENANT_ID,
    }
