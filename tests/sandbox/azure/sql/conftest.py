"""Azure SQL behind the served ARM, each server a real PostgreSQL: one cloud for all tests of a module."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from azure.identity import ClientSecretCredential
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.sql import SqlManagementClient

from sandbox.arm.errors import ArmError
from sandbox.arm.known import catalogue
from sandbox.arm.resource import Resource
from sandbox.azure import authorization, resources, sql
from sandbox.azure.sql import access, programs
from sandbox.azure.sql import estate as estate_module
from sandbox.azure.sql.estate import Estate, estate_of
from sandbox.azure.sql.gateway import Gateway
from sandbox.azure.sql.instance import Instance, instance
from sandbox.config import SUBSCRIPTION_ID, TENANT_ID
from sandbox.services import Services
from tests.sandbox.azure import fakes
from tests.sandbox.served import Served, served

MODULES: list[ModuleType] = [resources, authorization, sql]
GROUP = "rg-agents-dev"
SERVER = "sql-agents-dev"
DATABASE = "AgentsDB"
AUDIENCE = "https://database.windows.net/"
#: The managed identity that administers the servers.
ADMINISTRATOR = "id-migration-agents-dev"


@dataclass(frozen=True)
class Sql:
    """A cloud, its clients, and a way to log in to its servers."""

    cloud: Served
    state: Path
    arm: SqlManagementClient
    groups: ResourceManagementClient
    administrator: str

    @property
    def services(self) -> Services:
        return self.cloud.cloud.services

    @property
    def estate(self) -> Estate:
        return estate_of(self.services)

    @property
    def supervisor(self) -> fakes.Supervisor:
        found = self.services.supervisor
        assert isinstance(found, fakes.Supervisor)
        return found

    def instance(self, server: str = SERVER) -> Instance:
        return instance(self.services, server)

    def resource(self, path: str) -> Resource | None:
        return self.services.store.get(f"{group_id(GROUP)}/providers/Microsoft.Sql/servers/{path}")

    def principal(self, name: str) -> str:
        """The object id of a new managed identity of that name."""
        return self.services.principals.create(name, "ManagedIdentity")[0]

    def token(self, object_id: str, audience: str = AUDIENCE, **claims: Any) -> str:
        return self.services.tokens.issue(object_id, audience, claims=claims)

    def make_server(self, name: str, location: str = "westeurope", **properties: Any) -> Any:
        body = {"location": location, "properties": {**self.administrators(), **properties}}
        return self.arm.servers.begin_create_or_update(GROUP, name, body, polling_interval=0).result()

    def administrators(self) -> dict[str, Any]:
        return {
            "administrators": {
                "administratorType": "ActiveDirectory",
                "principalType": "Application",
                "login": ADMINISTRATOR,
                "sid": self.administrator,
                "tenantId": TENANT_ID,
                "azureADOnlyAuthentication": True,
            }
        }

    def let_azure_in(self, name: str = SERVER) -> None:
        """The rule that lets in what runs on Azure, as this process does."""
        ends = dict.fromkeys(("startIpAddress", "endIpAddress"), access._AZURE)
        self.arm.firewall_rules.create_or_update(GROUP, name, "azure", {"properties": ends})

    def make_database(self, name: str = DATABASE, server: str = SERVER, **body: Any) -> Any:
        place = (GROUP, server, name)
        begun = self.arm.databases.begin_create_or_update(
            *place, {"location": "westeurope", **body}, polling_interval=0
        )
        return begun.result()

    def log_in(
        self,
        user: str = ADMINISTRATOR,
        token: str | None = None,
        *,
        host: str = SERVER,
        database: str = DATABASE,
        **options: Any,
    ) -> psycopg.Connection[Any]:
        """As a program does: by name, the certificate verified, the token as password."""
        password = self.token(self.administrator) if token is None else token
        given: dict[str, Any] = {
            "host": f"{host}.database.azure.test",
            "hostaddr": "127.0.0.1",
            "port": self.estate.gateway.port,
            "dbname": database,
            "user": user,
            "password": password,
            "sslmode": "verify-full",
            "sslrootcert": os.environ["SSL_CERT_FILE"],
            "connect_timeout": 10,
            "autocommit": True,
        }
        return psycopg.connect(**{**given, **options})

    def delay(self, target: str, seconds: float, name: str = "*") -> None:
        """Have replication or backups be so much behind, as `sandbox fault` does."""
        given = {"target": target, "service": "sql", "name": name, "seconds": seconds}
        self.cloud.command("fault delay", **given)


def group_id(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{name}"


def client(cloud: Served, kind: Any) -> Any:
    """A management client that acts as the deployer."""
    keys = cloud.deployer
    credential = ClientSecretCredential(
        keys["tenantId"],
        keys["clientId"],
        keys["clientSecret"],
        authority="https://login.azure.test",
        disable_instance_discovery=True,
    )
    base = "https://management.azure.test"
    return kind(
        credential, SUBSCRIPTION_ID, base_url=base, credential_scopes=[f"{base}/.default"], retry_total=0
    )


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@contextmanager
def running(state: Path, patch: pytest.MonkeyPatch) -> Iterator[Sql]:
    """The cloud on a state folder; its servers' processes end with it."""
    patch.setattr(estate_module, "_gateway", lambda services: Gateway(services, "127.0.0.1", 0))
    with served(state, patch, catalogue(), MODULES) as cloud:
        principals = cloud.cloud.services.principals
        known = principals.named(ADMINISTRATOR)
        administrator = known[0] if known else principals.create(ADMINISTRATOR, "ManagedIdentity")[0]
        found = Sql(
            cloud,
            state,
            client(cloud, SqlManagementClient),
            client(cloud, ResourceManagementClient),
            administrator,
        )
        found.groups.resource_groups.create_or_update(GROUP, {"location": "westeurope"})
        try:
            yield found
        finally:
            found.supervisor.end()


@pytest.fixture(scope="module")
def server(sql_cloud: Sql) -> Sql:
    """A cloud with one server and one database, whose firewall lets this process in."""
    sql_cloud.make_server(SERVER)
    sql_cloud.let_azure_in()
    sql_cloud.make_database()
    return sql_cloud


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """A folder that PostgreSQL's user can reach, as pytest's own is not."""
    try:
        programs.program("postgres")
    except ArmError as error:
        pytest.skip(error.message)
    folder = Path(tempfile.mkdtemp(prefix=f"sql-{uuid.uuid4().hex[:4]}-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def sql_cloud(state: Path, patch: pytest.MonkeyPatch) -> Iterator[Sql]:
    with running(state, patch) as found:
        yield found
