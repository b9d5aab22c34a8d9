"""References between resources: ids in a body must name what exists, and what is named cannot go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.resource import Resource, ResourceId
from sandbox.services import Store


def check(store: Store, id: ResourceId, body: Any) -> None:  # noqa: A002
    """Raises Azure's InvalidResourceReference for the first id in `body` that names nothing."""
    for reference in _ids(body):
        if not f"{reference.lower()}/".startswith(f"{id.key}/") and store.get(reference) is None:
            raise bad_request(
                "InvalidResourceReference",
                f"Resource {reference} referenced by resource {id} was not found. Please make sure that the "
                "referenced resource exists, and that both resources are in the same region.",
            )


def users(store: Store, id: ResourceId, *, but: ResourceId | None = None) -> list[Resource]:  # noqa: A002
    """Resources that name `id` in their body, other than `but` and what lies below it."""
    needle = json.dumps(id.key)
    return [
        resource
        for resource in store.list(under=f"/subscriptions/{id.subscription}")
        if needle in json.dumps(resource.body).lower()
        and (but is None or not f"{resource.id.key}/".startswith(f"{but.key}/"))
    ]


def require_unused(
    store: Store,
    id: ResourceId,  # noqa: A002
    code: str,
    wording: str,
    *,
    but: ResourceId | None = None,
) -> None:
    """Raises ArmError 400 with `wording`, whose `{user}` is a resource that names `id`."""
    found = users(store, id, but=but)
    if found:
        raise ArmError(400, code, wording.format(name=id.name, id=id, user=found[0].id))


def _ids(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for key, value in body.items():
            if key == "id" and isinstance(value, str) and value.lower().startswith("/subscriptions/"):
                yield value
            else:
                yield from _ids(value)
    elif isinstance(body, list):
        for value in body:
            yield from _ids(value)
