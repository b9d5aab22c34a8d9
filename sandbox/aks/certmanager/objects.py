"""Paths, conditions and events of cert-manager's objects."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.aks.api import Api

Object = dict[str, Any]
Known = Mapping[str, Any]

GROUP = "cert-manager.io"
API_VERSION, ACME_API_VERSION = f"{GROUP}/v1", f"acme.{GROUP}/v1"
CERTIFICATES = f"/apis/{API_VERSION}/certificates"
REQUESTS = f"/apis/{API_VERSION}/certificaterequests"
ISSUERS = f"/apis/{API_VERSION}/issuers"
CLUSTER_ISSUERS = f"/apis/{API_VERSION}/clusterissuers"
ORDERS = f"/apis/{ACME_API_VERSION}/orders"
CHALLENGES = f"/apis/{ACME_API_VERSION}/challenges"
SECRETS = "/api/v1/secrets"
WATCHED = (CERTIFICATES, REQUESTS, ISSUERS, CLUSTER_ISSUERS, ORDERS, CHALLENGES)

Status = Literal["True", "False"]


def now() -> datetime:
    """With the precision that the API keeps."""
    return datetime.now(UTC).replace(microsecond=0)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def name(value: Known) -> str:
    return str(value["metadata"]["name"])


def namespace(value: Known) -> str:
    return str(value["metadata"]["namespace"])


def notes_of(value: Known) -> Mapping[str, str]:
    return value["metadata"].get("annotations") or {}


def status(value: Known) -> Known:
    return value.get("status") or {}


def place(collection: str, value: Known) -> str:
    """The path of an object of a collection."""
    return f"{inside(collection, value['metadata'].get('namespace'))}/{name(value)}"


def inside(collection: str, space: str | None) -> str:
    """The path of the collection in one namespace (None: of kinds without one)."""
    if space is None:
        return collection
    base, _, plural = collection.rpartition("/")
    return f"{base}/namespaces/{space}/{plural}"


def digest(*parts: str) -> str:
    """A short suffix for names that must differ when one of the parts does."""
    return str(int(hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8], 16))


def owned_by(value: Known, owner: Known) -> bool:
    return any(
        reference.get("uid") == owner["metadata"]["uid"]
        for reference in value["metadata"].get("ownerReferences") or ()
    )


def owner(value: Known, api_version: str, kind: str) -> Object:
    """A reference to the controller of an object."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": name(value),
        "uid": value["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(value: Known, kind: str) -> Known:
    """A condition; empty when it is not there."""
    found: Sequence[Known] = status(value).get("conditions") or ()
    return next((one for one in found if one["type"] == kind), {})


def with_condition(value: Known, kind: str, state: Status, reason: str, message: str) -> list[Object]:
    """All conditions with this one set. The time of its transition stays while its status does."""
    before = condition(value, kind)
    entry = {
        "type": kind,
        "status": state,
        "reason": reason,
        "message": message,
        "lastTransitionTime": before["lastTransitionTime"] if before.get("status") == state else stamp(now()),
    }
    if "generation" in value["metadata"]:
        entry["observedGeneration"] = value["metadata"]["generation"]
    others = [dict(one) for one in status(value).get("conditions") or () if one["type"] != kind]
    return [*others, entry]


async def save_status(api: Api, collection: str, value: Object, **changes: Any) -> bool:
    """Merge changes into the status, here and in the cluster; False when it says so already. None removes."""
    before = dict(status(value))
    after = {key: item for key, item in {**before, **changes}.items() if item is not None}
    if after == before:
        return False
    value["status"] = after
    await api.patch(f"{place(collection, value)}/status", {"status": changes})
    return True


async def event(
    api: Api, about: Known, kind: str, reason: str, message: str, *, warning: bool = False
) -> None:
    """What `kubectl describe` shows below the object."""
    metadata = about["metadata"]
    space = metadata.get("namespace") or "default"
    at = stamp(now())
    involved = {
        "apiVersion": ACME_API_VERSION if kind in ("Order", "Challenge") else API_VERSION,
        "kind": kind,
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "uid": metadata["uid"],
    }
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{metadata['name']}.", "namespace": space},
        "involvedObject": involved,
        "reason": reason,
        "message": message,
        "type": "Warning" if warning else "Normal",
        "count": 1,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "source": {"component": "cert-manager"},
    }
    await api.post(f"/api/v1/namespaces/{space}/events", body)
