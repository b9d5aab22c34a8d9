"""An account with its real query engine behind the data plane, on a loopback HTTPS server."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.cosmos import ContainerProxy, CosmosClient

from sandbox.arm.resource import Resource
from sandbox.azure import documentdb
from sandbox.azure.documentdb import builtin_roles, naming
from sandbox.azure.documentdb.accounts import AccountHandler
from sandbox.azure.documentdb.roles import RoleAssignmentHandler
from sandbox.azure.documentdb.sql_resources import ContainerHandler, DatabaseHandler
from sandbox.config import Config
from sandbox.toolchain.toolchain import Toolchain
from tests.sandbox.azure import fakes
from tests.sandbox.azure.conftest import World, _resolve_to, make_world
from tests.sandbox.azure.fakes import Credential
from tests.sandbox.azure.processes import Server

ACCOUNT = f"{naming.ACCOUNT}/cosmos-agents-dev"
DATABASE = f"{ACCOUNT}/sqlDatabases/AgentsDB"
URL = "https://cosmos-agents-dev.documents.azure.test:443/"
WRITER = "11111111-1111-1111-1111-111111111111"
READER = "22222222-2222-2222-2222-222222222222"
_numbers = itertools.count()
NOBODY = "33333333-3333-3333-3333-333333333333"


def account_body(**properties: Any) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "properties": {
            "databaseAccountOfferType": "Standard",
            "locations": [{"locationName": "westeurope", "failoverPriority": 0}],
            "backupPolicy": {"type": "Continuous", "continuousModeProperties": {"tier": "Continuous7Days"}},
            "disableLocalAuth": True,
            **properties,
        },
    }


def container_body(name: str = "Events", throughput: int | None = 10_000, **resource: Any) -> dict[str, Any]:
    key = {"paths": ["/agent"], "kind": "Hash", "version": 2}
    options = {"throughput": throughput} if throughput else {}
    return {"properties": {"resource": {"id": name, "partitionKey": key, **resource}, "options": options}}


class Cosmos:
    """The services, the server they run on, and one account with a database and a container."""

    def __init__(self, world: World, server: Server, supervisor: fakes.Supervisor) -> None:
        self.world = world
        self.server = server
        self.supervisor = supervisor
        #: The container that is meant where none is named.
        self.name = "Events"

    def put(self, handler: type[Any], path: str, body: dict[str, Any]) -> Resource:
        return self.server.call(self.world.aput(handler, path, body))

    def account(self, **properties: Any) -> Resource:
        return self.put(AccountHandler, ACCOUNT, account_body(**properties))

    def container(self, name: str | None = None, **resource: Any) -> Resource:
        name = name or self.name
        return self.put(ContainerHandler, f"{DATABASE}/containers/{name}", container_body(name, **resource))

    def assign(
        self, who: str, role: str, scope: str = "", name: str = "aaaaaaaa-0000-0000-0000-000000000001"
    ) -> Resource:
        account = self.world.store.list(type=naming.ACCOUNT)[0].id  # type: ignore[index]
        body = {
            "properties": {
                "principalId": who,
                "roleDefinitionId": f"{account}/sqlRoleDefinitions/{role}",
                "scope": f"{account}{scope}",
            }
        }
        return self.put(RoleAssignmentHandler, f"{ACCOUNT}/sqlRoleAssignments/{name}", body)

    def client(self, who: str = WRITER, **options: Any) -> CosmosClient:
        return CosmosClient(URL, Credential(who), retry_total=2, **options)

    def events(self, who: str = WRITER, name: str | None = None) -> ContainerProxy:
        return self.client(who).get_database_client("AgentsDB").get_container_client(name or self.name)


@contextmanager
def running(folder: Path) -> Iterator[Cosmos]:
    """An account with a database, and the roles of WRITER (on the database) and READER (on all)."""
    genuine = Config()
    if not (genuine.cache / "bin" / "cosmosdb-server").exists():
        pytest.skip("needs the toolchain's cosmosdb-server: run `make up` once")
    # A short path: unix sockets lie below it.
    state = Path(tempfile.mkdtemp(prefix="cosmos-"))
    config = Config(state=state, cache=genuine.cache)
    Toolchain(genuine.cache / "bin", {}, {}, genuine.cache).save(config)
    world = make_world(state)
    world.services = dataclasses.replace(world.services, config=config)
    supervisor, authority = world.supervisor, world.services.ca
    assert isinstance(authority, fakes.Authority)
    ca = folder / "ca.pem"
    ca.write_text(authority.pem)
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            patch.setenv(variable, str(ca))
        documentdb.mount(world.services)
        server = Server(world.router, authority, ("*.documents.azure.test",), folder)
        _resolve_to(patch, server.port)
        cosmos = Cosmos(world, server, supervisor)
        try:
            cosmos.account()
            cosmos.put(DatabaseHandler, DATABASE, {"properties": {"resource": {"id": "AgentsDB"}}})
            cosmos.assign(WRITER, builtin_roles.CONTRIBUTOR, "/dbs/AgentsDB")
            cosmos.assign(READER, builtin_roles.READER, name="aaaaaaaa-0000-0000-0000-000000000002")
            yield cosmos
        finally:
            server.call(documentdb.stop(world.services))
            server.close()
            supervisor.end()
            shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cosmos]:
    with running(tmp_path_factory.mktemp("cosmos")) as found:
        yield found


@pytest.fixture
def cosmos(shared: Cosmos) -> Cosmos:
    """The module's account, with a container that the test alone uses."""
    shared.name = f"Events{next(_numbers)}"
    shared.container()
    return shared


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Cosmos]:
    """An account that the test alone uses, with the container `Events`."""
    with running(tmp_path) as found:
        found.container()
        yield found
