"""The local Azure in one process: its parts built, joined and brought to life, however it is served.

Resource providers are the modules and packages below `sandbox.azure`, and `sandbox.aks`. Each may export
`HANDLERS`, `mount(services)`, `async start(services)`, `async stop(services)` and `commands(services)`, which
are for whoever runs the sandbox.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import request_response
from starlette.types import ASGIApp, Receive, Scope, Send

import sandbox.azure
from sandbox.arm.activity import ActivityLog
from sandbox.arm.app import Arm
from sandbox.arm.catalogue import Catalogue
from sandbox.arm.database import Database
from sandbox.arm.directory import Directory
from sandbox.arm.handler import Handler
from sandbox.arm.handlers import Handlers
from sandbox.arm.identity import Identities
from sandbox.arm.lifecycle import Lifecycle
from sandbox.arm.operations import Operations
from sandbox.arm.rbac import StoredRbac
from sandbox.arm.registrations import Registrations
from sandbox.arm.store import SqliteStore
from sandbox.arm.verbs import Verbs
from sandbox.config import TENANT_ID, Config
from sandbox.control import Command
from sandbox.entra import deployer, principals
from sandbox.entra.app import Login
from sandbox.entra.clients import Clients
from sandbox.entra.graph import Graph
from sandbox.entra.issuers import Issuers
from sandbox.entra.keys import SigningKey
from sandbox.entra.resources import Resources
from sandbox.entra.tokens import EntraTokens
from sandbox.faults.delays import Delays
from sandbox.faults.delays import path as delays_path
from sandbox.faults.interception import Faulty
from sandbox.faults.registry import Faults
from sandbox.metadata import Metadata
from sandbox.names import Names
from sandbox.network.networks import Applies, StoredNetworks
from sandbox.outages.conduct import Conduct
from sandbox.outages.homes import Homes
from sandbox.outages.interception import Reachable
from sandbox.outages.registry import Outages
from sandbox.outages.registry import path as outages_path
from sandbox.outages.servers import Servers
from sandbox.router import HostRouter
from sandbox.services import CertificateAuthority, Hosts, Services, Supervisor, Unconnected

log = logging.getLogger(__name__)

#: Seconds that operations under way may take to end when the sandbox stops.
_GRACE = 5.0


@dataclass(frozen=True)
class Outside:
    """What the cloud needs of the machine. `local` is host[:port] at which its own endpoints are reached."""

    supervisor: Supervisor
    hosts: Hosts
    authority: CertificateAuthority
    trust: ssl.SSLContext
    local: str
    #: What puts networks in force; None where there are none.
    fabric: Applies | None = None


class Cloud:
    """Build it, `start` it, serve `app`, `resume` it, `stop` it."""

    def __init__(
        self,
        config: Config,
        outside: Outside,
        catalogue: Catalogue,
        modules: Iterable[ModuleType] | None = None,
    ) -> None:
        names = Names(config.suffix)
        self._database = Database(config.database)
        self._store = SqliteStore(self._database)
        self._rbac = StoredRbac(self._store)
        self._directory = principals.Directory(self._database)
        self._key = SigningKey(self._database)
        self._tokens = EntraTokens(
            self._key,
            self._directory,
            issuer=f"https://sts.{config.suffix}/{TENANT_ID}/",
            tenant_id=TENANT_ID,
        )
        self._resources = Resources(config.suffix)
        self.router = HostRouter()
        self.faults = Faults()
        self.outages = Outages(outages_path(config))
        self.delays = Delays(delays_path(config), self._store)
        # The parts ask each other through it too: a part in a region that is down is not reached by them.
        self.reachable = Reachable(self.router, self.outages, Servers(names, self._store))
        #: What is served: the router, behind what may go wrong.
        self.app = Faulty(self.reachable, self.faults, names)
        self.ready = False
        self.services = Services(
            config=config,
            names=names,
            supervisor=outside.supervisor,
            hosts=outside.hosts,
            ca=outside.authority,
            store=self._store,
            tokens=self._tokens,
            principals=self._directory,
            rbac=self._rbac,
            router=self.reachable,
            regions=self.outages,
            delays=self.delays,
            networks=StoredNetworks(config, self._store, outside.fabric) if outside.fabric else Unconnected(),
        )
        deployer.seed(config, self._store, self._directory)
        self._modules = list(providers() if modules is None else modules)
        self._handlers = Handlers(
            [kind(self.services) for module in self._modules for kind in getattr(module, "HANDLERS", ())],
            Handler(self.services),
        )
        self._homes = Homes(self._store, self._handlers, self.outages)
        self._operations = Operations(self._database)
        self._lifecycle = Lifecycle(
            database=self._database,
            store=self._store,
            catalogue=catalogue,
            handlers=self._handlers,
            identities=Identities(self._store, self._directory, self._rbac, TENANT_ID),
            operations=self._operations,
            homes=self._homes,
            faults=self.faults,
        )
        self._conduct = Conduct(self.outages, self._lifecycle)
        login = self._login(outside)
        graph = Graph(self._directory, self._tokens, audiences=self._resources.graph, tenant_id=TENANT_ID)
        self.router.mount(names.management, self._management(self._arm(catalogue)))
        self.router.mount(names.login, login)
        self.router.mount(f"sts.{config.suffix}", login)
        self.router.mount(names.graph, graph.app())
        for module in self._modules:
            if hasattr(module, "mount"):
                module.mount(self.services)

    async def start(self) -> None:
        """Before the first request."""
        names = self.services.names
        for name in (names.management, names.login, names.graph):
            self.services.hosts.publish(name)
        for module in self._modules:
            if hasattr(module, "start"):
                await module.start(self.services)
        await self.services.networks.settle()

    async def resume(self) -> None:
        """Once requests are answered: what is brought back may call this Azure."""
        await self._lifecycle.resume()
        self.ready = True
        log.info("ready")

    async def stop(self) -> None:
        """After the last request."""
        self.ready = False
        await self._conduct.stop()
        await self._operations.settle(_GRACE)
        for module in reversed(self._modules):
            if hasattr(module, "stop"):
                await module.stop(self.services)
        self._database.close()

    def commands(self) -> Mapping[str, Command]:
        """What it can be told besides Azure's own requests."""
        of_providers: dict[str, Command] = {}
        for module in self._modules:
            if hasattr(module, "commands"):
                of_providers |= module.commands(self.services)
        return {
            **of_providers,
            "fault add": lambda given: self.faults.add(given).wire(),
            "fault delay": lambda given: self.delays.set(given).wire(),
            "fault list": lambda _given: [
                *(fault.wire() for fault in self.faults.all()),
                *(delay.wire() for delay in self.delays.all()),
            ],
            "fault clear": lambda given: (
                self.faults.clear(given.get("number")) + self.delays.clear(given.get("number"))
            ),
            "outage begin": self._conduct.begin,
            "outage end": self._conduct.end,
            "outage list": self._conduct.listed,
        }

    def _arm(self, catalogue: Catalogue) -> Arm:
        activity = ActivityLog(self._database)
        registrations = Registrations(self._database, catalogue, self._store, self._rbac)
        directory = Directory(
            store=self._store,
            handlers=self._handlers,
            operations=self._operations,
            activity=activity,
            rbac=self._rbac,
            tenant_id=TENANT_ID,
        )
        verbs = Verbs(
            store=self._store,
            catalogue=catalogue,
            handlers=self._handlers,
            lifecycle=self._lifecycle,
            operations=self._operations,
            activity=activity,
            rbac=self._rbac,
            registrations=registrations,
            homes=self._homes,
        )
        declared = [each for handler in self._handlers.all() for each in handler.operations()]
        return Arm(
            verbs=verbs,
            operations=[*declared, *directory.operations(), *registrations.operations()],
            tokens=self._tokens,
            audiences=self._resources.manager,
            authority=f"https://{self.services.names.login}/{TENANT_ID}",
        )

    def _login(self, outside: Outside) -> ASGIApp:
        names = self.services.names
        issuers = Issuers(outside.trust, suffix=names.suffix, local=outside.local)
        return Login(
            names=names,
            tenant_id=TENANT_ID,
            key=self._key,
            tokens=self._tokens,
            clients=Clients(self._directory, issuers, TENANT_ID),
            resources=self._resources,
        ).app()

    def _management(self, arm: ASGIApp) -> ASGIApp:
        metadata = Metadata(self.services.names)

        async def health(_request: Request) -> Response:
            """Whether everything stored has been brought back."""
            return JSONResponse({"status": "ready" if self.ready else "resuming"}, 200 if self.ready else 503)

        open_to_all = {
            "/metadata/endpoints": request_response(metadata.endpoints),
            "/healthz": request_response(health),
        }

        async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
            await open_to_all.get(scope["path"], arm)(scope, receive, send)

        return dispatch


def providers() -> list[ModuleType]:
    """Every resource provider, in the order of their names; Kubernetes last, as it uses the others."""
    found = pkgutil.iter_modules(sandbox.azure.__path__)
    names = [*sorted(f"sandbox.azure.{info.name}" for info in found), "sandbox.aks"]
    return [importlib.import_module(name) for name in names]
