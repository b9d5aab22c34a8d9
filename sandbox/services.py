"""The things a resource provider may use, handed to it instead of imported, so tests can replace them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sandbox.arm.handler import Principal
from sandbox.arm.resource import Resource, ResourceId
from sandbox.config import Config
from sandbox.names import Names


@dataclass(frozen=True)
class Program:
    """One supervised process. `netns` None means the host's network, `user` None means root; logs go to
    `logs/<name>.log`. It starts with the supervisor's few variables (PATH, HOME, LANG) plus `env`.
    """

    name: str
    command: Sequence[str]
    netns: str | None = None
    env: Mapping[str, str] | None = None
    directory: Path | None = None
    user: str | None = None
    #: Seconds it must stay up to count as started.
    start_seconds: int = 1
    stop_signal: str = "TERM"
    stop_seconds: int = 10


class Supervisor(Protocol):
    """Starts and ends processes; they are restarted when they die and ended with the sandbox."""

    async def start(self, program: Program) -> None:
        """Start, or restart if the program's definition changed; a no-op when it runs as described."""

    async def stop(self, name: str) -> None:
        """End and forget; a no-op when unknown."""

    async def status(self) -> Mapping[str, str]:
        """Program name -> RUNNING, STARTING, BACKOFF, FATAL, STOPPED …"""


class Hosts(Protocol):
    """Host names that resolve on the host (a marked block in /etc/hosts), in the sandbox and in its pods."""

    def publish(self, name: str, address: str | None = None) -> None:
        """Make `name` resolve to `address` (default: the gateway, where all Azure endpoints listen)."""

    def withdraw(self, name: str) -> None: ...


class Networks(Protocol):
    """Name resolution, routes and rules of the virtual networks."""

    async def settle(self, *gone: ResourceId) -> None:
        """Put in force what is stored now, without the resources that are about to be removed. Return when
        it is."""


class Unconnected:
    """`Networks` of a cloud without a machine of its own."""

    async def settle(self, *gone: ResourceId) -> None:
        del gone


class Regions(Protocol):
    """Which regions of this Azure are down."""

    def is_down(self, location: str | None) -> bool:
        """Of any spelling; what is no region (`global`, None) is never down."""

    def since(self, location: str | None) -> float | None:
        """When a region went down (seconds since the epoch); None while it is up."""

    async def change(self) -> None:
        """Return when an outage has begun or ended."""


class Unbroken:
    """`Regions` of a cloud without outages."""

    def is_down(self, location: str | None) -> bool:
        del location
        return False

    def since(self, location: str | None) -> float | None:
        del location
        return None

    async def change(self) -> None:
        await asyncio.Event().wait()


class Delays(Protocol):
    """By how many seconds copies of data are behind it; a service is `cosmos` or `sql`."""

    def replication(self, service: str, *names: str) -> float:
        """Between regions, of an account or of the servers of a failover group: any of the names counts."""

    def backups(self, service: str, *names: str) -> float: ...


class Undelayed:
    """`Delays` of a cloud where every copy is up to date."""

    def replication(self, service: str, *names: str) -> float:
        del service, names
        return 0.0

    def backups(self, service: str, *names: str) -> float:
        del service, names
        return 0.0


class CertificateAuthority(Protocol):
    def issue(
        self, names: Sequence[str], *, client: str | None = None, group: str | None = None
    ) -> tuple[str, str]:
        """(certificate chain PEM, private key PEM) for DNS names or IP addresses; with `client`, a client
        certificate whose common name is `client` and organization `group`."""

    def sign(self, request: str, *, seconds: float) -> str:
        """The certificate chain (PEM) of a server for a certificate signing request (PEM): its key, subject
        and alternative names. Raises ValueError for one whose signature is wrong or that names nothing."""


class Store(Protocol):
    """Resources by id. Writes are durable when the call returns."""

    def get(self, id: ResourceId | str) -> Resource | None: ...  # noqa: A002

    def save(self, resource: Resource) -> None: ...

    def remove(self, id: ResourceId) -> None: ...  # noqa: A002

    def list(self, *, type: str | None = None, under: str | None = None) -> Iterable[Resource]:  # noqa: A002
        """Resources of `type` (case-insensitive), whose id lies under the id prefix `under`."""

    def deleted(self, type: str) -> Iterable[Resource]:  # noqa: A002
        """Soft-deleted resources of a type; their `properties` hold deletionDate and scheduledPurgeDate."""

    def keep_deleted(self, resource: Resource, *, days: int) -> None:
        """Move a resource to the soft-deleted ones."""

    def purge(self, resource: Resource) -> None: ...


class Tokens(Protocol):
    def issue(self, object_id: str, audience: str, *, claims: Mapping[str, Any] | None = None) -> str:
        """An access token (JWT, RS256) for a principal."""

    def verify(self, token: str, audiences: Sequence[str]) -> Principal:
        """The principal behind an access token. Raises ArmError 401 with what is wrong with it."""


class Principals(Protocol):
    def create(self, name: str, kind: str, *, resource_id: str | None = None) -> tuple[str, str]:
        """(object id, client id) of a new service principal; kind `Application` or `ManagedIdentity`."""

    def remove(self, object_id: str) -> None: ...

    def kind(self, object_id: str) -> str | None:
        """`Application` or `ManagedIdentity`; None when there is no such principal."""

    def name(self, object_id: str) -> str | None:
        """Its display name; None when there is no such principal."""

    def named(self, name: str) -> Sequence[str]:
        """Object ids of the principals with that display name, which need not be unique."""

    def federate(
        self, object_id: str, name: str, *, issuer: str, subject: str, audiences: Sequence[str]
    ) -> None:
        """Trust tokens of an outside issuer (workload identity)."""

    def unfederate(self, object_id: str, name: str) -> None: ...


class Rbac(Protocol):
    def allows(self, object_id: str, action: str, scope: str, *, data: bool = False) -> bool:
        """Whether a role assignment at or above `scope` grants `action` (a dataAction when `data`)."""

    def require(self, principal: Principal, action: str, scope: str, *, data: bool = False) -> None:
        """Raise ARM's 403 AuthorizationFailed, naming principal, action and scope, unless allowed."""


class Router(Protocol):
    """Data planes register here: requests are dispatched by host name to an ASGI app."""

    def mount(self, pattern: str, app: Any) -> None:
        """`pattern` is a host name or `*.suffix` (one label); the ASGI app sees the request unchanged."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request: how one part asks another without leaving the process."""


@dataclass(frozen=True)
class Services:
    config: Config
    names: Names
    supervisor: Supervisor
    hosts: Hosts
    ca: CertificateAuthority
    store: Store
    tokens: Tokens
    principals: Principals
    rbac: Rbac
    router: Router
    networks: Networks = field(default_factory=Unconnected)
    regions: Regions = field(default_factory=Unbroken)
    delays: Delays = field(default_factory=Undelayed)
