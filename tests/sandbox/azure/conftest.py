"""The services with fakes around them, their data planes behind a real HTTPS server on loopback.

Every name under azure.test resolves to that server, whatever the port asked for, so that SDK clients are
used exactly as they are against Azure.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from sandbox.arm.database import Database
from sandbox.arm.handler import Call, Handler, Principal, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, OperationCall
from sandbox.arm.resource import Body, Resource
from sandbox.arm.store import SqliteStore
from sandbox.config import SUBSCRIPTION_ID, TENANT_ID, Config
from sandbox.names import Names
from sandbox.services import Services
from tests.sandbox.azure import fakes

GROUP = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg"
WILDCARDS = (
    "*.azure.test",
    "*.vault.azure.test",
    "*.openai.azure.test",
    "*.blob.storage.azure.test",
    "*.queue.storage.azure.test",
    "*.in.applicationinsights.azure.test",
    "*.applicationinsights.azure.test",
    "*.loganalytics.azure.test",
)


@dataclass
class World:
    """What a test works with."""

    services: Services
    store: SqliteStore
    rbac: fakes.Rbac
    hosts: fakes.Hosts
    router: fakes.Router
    supervisor: fakes.Supervisor
    #: Where `serve` serves, for clients that look up names but keep the port.
    port: int = 443

    def put(self, handler: type[Handler], path: str, body: Body, *, principal: str = "owner") -> Resource:
        """A PUT as the ARM core runs it, without authorization and validation."""
        return asyncio.run(self.aput(handler, path, body, principal=principal))

    async def aput(
        self, handler: type[Handler], path: str, body: Body, *, principal: str = "owner"
    ) -> Resource:
        id_ = parse_id(path if path.startswith("/subscriptions") else f"{GROUP}/providers/{path}")
        one = handler(self.services)
        previous = self.store.get(id_)
        who = Principal(principal, f"app-{principal}", TENANT_ID, "arm", {})
        put = Put(id_, body, previous, who, "2024-01-01")
        await one.check(put)
        now = time.time()
        resource = Resource(id_, await one.fill(put), previous.created_at if previous else now, now)
        self.store.save(resource)
        await one.provision(resource)
        self.store.save(resource)
        return resource

    async def adelete(self, handlers: list[type[Handler]], resource: Resource) -> None:
        """A DELETE with its cascade: children first, then the resource."""
        by_type = {handler.type.lower(): handler(self.services) for handler in handlers}
        doomed = sorted(self.store.list(under=str(resource.id)), key=lambda r: -r.id.text.count("/"))
        for one in (*doomed, resource):
            await by_type.get(one.id.type.lower(), Handler(self.services)).delete(one)
            self.store.remove(one.id)

    def delete(self, handlers: list[type[Handler]], resource: Resource) -> None:
        asyncio.run(self.adelete(handlers, resource))

    def act(self, handler: type[Handler], action: str, resource: Resource, body: Body | None = None) -> Any:
        """Run a POST action."""
        who = Principal("owner", "app-owner", TENANT_ID, "arm", {})
        call = Call(resource, body or {}, who, "2024-01-01", {})
        return asyncio.run(handler(self.services).actions()[action](call))  # type: ignore[arg-type]

    def operate(
        self, handler: type[Handler], method: str, path: str, body: Body | None = None, **given: str
    ) -> Answer:
        """Run the operation whose template ends with `path`."""
        operations = handler(self.services).operations()
        found = [o for o in operations if o.method == method and o.path.endswith(path)]
        assert len(found) == 1, [o.path for o in operations]
        who = Principal("owner", "app-owner", TENANT_ID, "arm", {})
        call = OperationCall({"subscription": SUBSCRIPTION_ID, **given}, {}, body or {}, who, "2024-01-01")
        return asyncio.run(found[0].run(call))  # type: ignore[arg-type]


def make_world(state: Path) -> World:
    store = SqliteStore(Database(state / "azure.db"))
    rbac, hosts, router, supervisor = fakes.Rbac(), fakes.Hosts(), fakes.Router(), fakes.Supervisor()
    services = Services(
        config=Config(state=state),
        names=Names("azure.test"),
        supervisor=supervisor,
        hosts=hosts,
        ca=fakes.Authority(),
        store=store,
        tokens=fakes.Tokens(),
        principals=None,  # type: ignore[arg-type]  # none of these services makes principals
        rbac=rbac,
        router=router,
    )
    return World(services, store, rbac, hosts, router, supervisor)


@contextmanager
def serving(world: World) -> Iterator[None]:
    """Serve what is mounted; names under azure.test lead there until the end."""
    authority = world.services.ca
    assert isinstance(authority, fakes.Authority)
    folder = world.services.config.state
    ca, chain, key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
    certificate, private = authority.issue(WILDCARDS)
    ca.write_text(authority.pem)
    chain.write_text(certificate)
    key.write_text(private)
    listener = socket.create_server(("127.0.0.1", 0))
    world.port = listener.getsockname()[1]
    config = uvicorn.Config(
        world.router, ssl_certfile=str(chain), ssl_keyfile=str(key), log_level="warning", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert thread.is_alive(), "the server ended at once"
        assert time.monotonic() < deadline, "the server did not start"
        thread.join(0.01)
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            patch.setenv(variable, str(ca))
        _resolve_to(patch, world.port)
        yield
    server.should_exit = server.force_exit = True
    thread.join(10)


def _resolve_to(patch: pytest.MonkeyPatch, port: int) -> None:
    genuine = socket.getaddrinfo

    def getaddrinfo(host: Any, asked: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if str(name).endswith("azure.test"):
            return genuine("127.0.0.1", port, *args, **kwargs)
        return genuine(host, asked, *args, **kwargs)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


@pytest.fixture
def serve(world: World) -> Iterator[Callable[[], None]]:
    """Start serving, once everything is mounted."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(serving(world))


@pytest.fixture
def trusted(tmp_path: Path) -> Callable[[], ssl.SSLContext]:
    """A TLS context that trusts the test's CA, once `serve` has run."""
    return lambda: ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
