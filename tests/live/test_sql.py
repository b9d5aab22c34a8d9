"""Azure SQL through the Azure CLI and PostgreSQL's own client library, on servers of the test's own."""

from __future__ import annotations

import json
import os
import re
import signal
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.sandboxed import Sandbox
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

AUDIENCE = "https://database.windows.net/"
DATABASE = "AgentsDB"


@dataclass(frozen=True)
class Sql:
    """A server with a database, administered by whoever the Azure CLI is signed in as."""

    sandbox: Sandbox
    group: str
    server: str
    login: str

    @property
    def state(self) -> Path:
        return Path(self.sandbox.env["SSL_CERT_FILE"]).parents[1]

    @property
    def suffix(self) -> str:
        """What server names end in, as clients read it."""
        return str(self.sandbox.az("cloud", "show")["suffixes"]["sqlServerHostname"]).lstrip(".")

    def az(self, *arguments: str) -> Any:
        return self.sandbox.az("sql", *arguments, "-g", self.group)

    def connect(self, host: str | None = None, **options: Any) -> psycopg.Connection[Any]:
        token = self.sandbox.az("account", "get-access-token", "--resource", AUDIENCE)["accessToken"]
        given: dict[str, Any] = {
            "host": f"{host or self.server}.{self.suffix}",
            "dbname": DATABASE,
            "user": self.login,
            "password": token,
            "sslmode": "verify-full",
            "sslrootcert": self.sandbox.env["SSL_CERT_FILE"],
            "connect_timeout": 10,
            "autocommit": True,
        }
        return psycopg.connect(**{**given, **options})

    def let_in(self, server: str) -> None:
        """Make the rule for the address that the refusal names."""
        with pytest.raises(psycopg.OperationalError) as refused:
            self.connect(server)
        found = re.search(r"Client with IP address '([0-9.]+)' is not allowed", str(refused.value))
        assert found, refused.value
        ends = ("--start-ip-address", found[1], "--end-ip-address", found[1])
        self.az("server", "firewall-rule", "create", "-s", server, "-n", "me", *ends)


def make_server(sandbox: Sandbox, group: str, name: str, location: str) -> str:
    """The login of its administrator, who is the one that is signed in."""
    client_id = sandbox.env["AZURE_CLIENT_ID"]
    login = str(sandbox.az("ad", "sp", "show", "--id", client_id)["displayName"])
    sandbox.az(
        *("sql", "server", "create", "-g", group, "-n", name, "-l", location, "--enable-ad-only-auth"),
        *("--external-admin-principal-type", "Application", "--external-admin-name", login),
        *("--external-admin-sid", client_id),
    )
    return login


@pytest.fixture(scope="module")
def sql(bare_sandbox: Sandbox) -> Iterator[Sql]:
    unique = uuid.uuid4().hex[:6]
    group, server = f"rg-sql-{unique}", f"sql-{unique}"
    bare_sandbox.az("group", "create", "-n", group, "-l", "westeurope")
    try:
        found = Sql(bare_sandbox, group, server, make_server(bare_sandbox, group, server, "westeurope"))
        found.let_in(server)
        found.az("db", "create", "-s", server, "-n", DATABASE, "--service-objective", "GP_S_Gen5_1")
        yield found
    finally:
        bare_sandbox.az("group", "delete", "-n", group, "--yes")
    assert not (found.state / "sql" / server).exists()
    assert postgres(found, server) == []


def postgres(sql: Sql, server: str) -> list[psutil.Process]:
    """The server's postmaster."""
    settings = f"--config-file={sql.state / 'sql' / server / 'conf' / 'postgresql.conf'}"
    return [one for one in psutil.process_iter(["cmdline"]) if settings in (one.info["cmdline"] or ())]


def answers(sql: Sql, host: str | None = None) -> bool:
    try:
        sql.connect(host).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_cli_shows_servers_and_databases(sql: Sql) -> None:
    server = sql.az("server", "show", "-n", sql.server)
    assert (server["state"], server["fullyQualifiedDomainName"]) == ("Ready", f"{sql.server}.{sql.suffix}")
    assert server["administrators"]["azureAdOnlyAuthentication"] is True
    at = ("-s", sql.server, "-n", DATABASE)
    status = sql.sandbox.run("az", "sql", "db", "show", "-g", sql.group, *at, "--query", "status")
    assert json.loads(status.out) == "Online"
    names = {found["name"] for found in sql.az("db", "list", "-s", sql.server)}
    assert names == {DATABASE, "master"}
    (administrator,) = sql.az("server", "ad-admin", "list", "-s", sql.server)
    assert administrator["login"] == sql.login
    only = sql.az("server", "ad-only-auth", "get", "-n", sql.server)
    assert only["azureAdOnlyAuthentication"] is True
    policy = sql.az("db", "str-policy", "show", *at)
    assert policy["retentionDays"] == 7
    assert sql.az("db", "tde", "show", "-s", sql.server, "-d", DATABASE)["state"] == "Enabled"
    assert sql.az("server", "conn-policy", "show", "-s", sql.server)["connectionType"] == "Default"


def test_a_restore_to_before_the_backups_is_refused(sql: Sql) -> None:
    refused = sql.sandbox.run(
        *("az", "sql", "db", "restore", "-g", sql.group, "-s", sql.server, "-n", DATABASE),
        *("--dest-name", "AgentsDB-Restored", "--time", "2025-11-11T10:00:00Z"),
        check=False,
    )
    assert refused.code != 0
    assert "InvalidRestorePointInTime" in refused.err


def test_a_login_is_a_token(sql: Sql) -> None:
    with sql.connect() as connection:
        assert connection.execute("SELECT current_user").fetchone() == (sql.login,)
    manager = f"https://{sql.sandbox.env['ARM_METADATA_HOSTNAME']}"
    other = sql.sandbox.az("account", "get-access-token", "--resource", manager)["accessToken"]
    with pytest.raises(psycopg.OperationalError, match="wrong audience"):
        sql.connect(password=other)
    with pytest.raises(psycopg.OperationalError, match="encrypted connection is required"):
        sql.connect(sslmode="disable")


def test_a_server_that_is_killed_comes_back_with_all_that_was_acknowledged(sql: Sql) -> None:
    with sql.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    (postmaster,) = postgres(sql, sql.server)
    os.kill(postmaster.pid, signal.SIGKILL)
    until(lambda: postgres(sql, sql.server) not in ([], [postmaster]) and answers(sql))
    with sql.connect() as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_a_failover_group_leads_to_its_primary(sql: Sql) -> None:
    partner, group = f"{sql.server}-backup", f"fog-{sql.server}"
    make_server(sql.sandbox, sql.group, partner, "northeurope")
    with sql.connect() as connection:
        connection.execute("CREATE TABLE sentinels AS SELECT 1 AS n")
    sql.az(
        *("failover-group", "create", "-n", group, "-s", sql.server),
        *("--partner-server", partner, "--add-db", DATABASE),
    )
    assert _role(sql, sql.server, group) == "Primary"
    with sql.connect(group) as connection:
        connection.execute("INSERT INTO sentinels VALUES (2)")
    sql.let_in(partner)
    sql.az("failover-group", "set-primary", "-n", group, "-s", partner)
    assert (_role(sql, partner, group), _role(sql, sql.server, group)) == ("Primary", "Secondary")
    with sql.connect(group) as connection:
        assert connection.execute("SELECT n FROM sentinels ORDER BY n").fetchall() == [(1,), (2,)]
        connection.execute("INSERT INTO sentinels VALUES (3)")
    sql.az("failover-group", "set-primary", "-n", group, "-s", sql.server, "--allow-data-loss")
    assert _role(sql, sql.server, group) == "Primary"
    sql.sandbox.az("sql", "failover-group", "delete", "-g", sql.group, "-n", group, "-s", sql.server)
    sql.sandbox.az("sql", "server", "delete", "-g", sql.group, "-n", partner, "--yes")
    assert postgres(sql, partner) == []


def _role(sql: Sql, server: str, group: str) -> str:
    shown = sql.az("failover-group", "show", "-n", group, "-s", server)
    return str(shown["replicationRole"])
