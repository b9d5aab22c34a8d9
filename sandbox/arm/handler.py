"""What a resource provider module says about one ARM type.

The ARM core (routing, authentication, authorization, body validation, storage, asynchronous operations,
cascading deletes, the activity log) is generic; a `Handler` adds only what is particular. The default one
stores what was validated and answers it back, which is enough for passive types.

Order of a PUT: authorize -> validate the body strictly -> `check` -> `fill` -> store -> (`provision`, in the
background when `long_running`) -> provisioningState Succeeded or Failed. Everything may be called again
after a crash, so `provision`, `delete` and `resume` must be repeatable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.arm.operation import Operation
from sandbox.arm.regions import normalise
from sandbox.arm.resource import Body, Resource, ResourceId

if TYPE_CHECKING:
    from sandbox.services import Services


@dataclass(frozen=True)
class Principal:
    """Who asks: an Entra object id, its app (client) id, tenant and the audience its token was for."""

    object_id: str
    client_id: str
    tenant_id: str
    audience: str
    claims: Mapping[str, Any]


@dataclass(frozen=True)
class Put:
    """One create or update: the validated wire body, and the resource as it was (None when new)."""

    id: ResourceId
    body: Body
    previous: Resource | None
    principal: Principal
    api_version: str
    #: What ties the request to those that belong to it, in the activity log too.
    correlation_id: str = ""


@dataclass(frozen=True)
class Call:
    """One POST action on a resource."""

    resource: Resource
    body: Body
    principal: Principal
    api_version: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


Action = Callable[[Call], Awaitable[Any]]


class Handler:
    """Behaviour of one ARM type. Subclass, set `type`, override what differs; register in `sandbox/azure`."""

    type: ClassVar[str]
    #: PUT and DELETE answer 201/202 with Azure-AsyncOperation and finish in the background.
    long_running: ClassVar[bool] = False
    #: DELETE alone, where it differs from PUT (a resource group is made at once and deleted slowly).
    long_running_delete: ClassVar[bool | None] = None
    #: Status codes of a PUT that made the resource and of one that changed it: some types' clients accept
    #: only one. A long-running PUT of a new resource may say 201 or 202.
    created_status: ClassVar[int] = 201
    updated_status: ClassVar[int] = 200
    #: Status code of a DELETE that is done at once.
    deleted_status: ClassVar[int] = 200
    #: A DELETE answers what was deleted, as role assignments do; others answer no content.
    answers_deleted: ClassVar[bool] = False
    #: A DELETE has to say which version it means (If-Match).
    delete_needs_etag: ClassVar[bool] = False

    def __init__(self, services: Services) -> None:
        self.services = services

    def patch(self, body: Body) -> Body:
        """The change of the stored body (RFC 7396) that a PATCH's body stands for: itself, but for types
        whose updates have a shape of their own."""
        return body

    async def check(self, put: Put) -> None:
        """Refuse what a schema cannot express (taken names, dependent resources). Raises ArmError."""

    async def fill(self, put: Put) -> Body:
        """The body to store: what was sent, plus the defaults and computed properties a GET would show.

        Computed values that must not change on update are taken from `put.previous`.
        """
        return put.body

    async def provision(self, resource: Resource) -> None:
        """Make it real. Changes to `resource.body` are stored afterwards; ArmError makes it Failed."""

    async def view(self, resource: Resource) -> Body:
        """The wire form that GET answers: `resource.wire()` plus what is only known live."""
        return resource.wire()

    async def check_delete(self, resource: Resource) -> None:
        """Refuse a DELETE of this very resource; not asked when it goes because what it lies in goes."""

    async def delete(self, resource: Resource) -> None:
        """Undo `provision`. Children are gone before it is called."""

    async def resume(self, resource: Resource) -> None:
        """Called once per stored resource when the sandbox starts: bring back what `provision` made."""

    def homes(self, resource: Resource) -> frozenset[str]:
        """The regions that answer for it; none for what is global, or is where its parent is."""
        return frozenset({normalise(resource.location)} if resource.location else ())

    async def lost(self, resource: Resource, region: str) -> None:
        """One of its `homes` went down: what serves it there stops answering and keeps its state. Called
        again at each start during the outage, instead of `resume` when no home is left."""

    async def regained(self, resource: Resource) -> None:
        """One of its `homes` is up again: undo `lost`. Parents come first, as with `resume`."""
        await self.resume(resource)

    def actions(self) -> Mapping[str, Action]:
        """POST actions by (case-insensitive) name, e.g. `listClusterUserCredential`."""
        return {}

    def operations(self) -> Sequence[Operation]:
        """Operations of this type on no stored resource (deletedVaults, checkNameAvailability, …)."""
        return ()
