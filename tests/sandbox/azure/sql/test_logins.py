"""Who gets into a server as whom, through libpq: tokens, users, administrators, TLS and the firewall."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.sandbox.azure import fakes
from tests.sandbox.azure.sql.conftest import ADMINISTRATOR, DATABASE, GROUP, SERVER, Sql

AGENT = "id-notification-agents-dev"


@pytest.fixture(scope="module")
def agent(server: Sql) -> str:
    """The object id of an identity that the administrator let in."""
    object_id = server.principal(AGENT)
    with server.log_in() as connection:
        connection.execute("CREATE TABLE executions (id int)")
        connection.execute(f'CREATE ROLE "{AGENT}" LOGIN')
        connection.execute(f'GRANT SELECT ON executions TO "{AGENT}"')
    return object_id


@contextmanager
def refused(caplog: pytest.LogCaptureFixture, message: str, reason: str) -> Iterator[None]:
    """The client is told `message`; the log says `reason`."""
    caplog.clear()
    with caplog.at_level(logging.WARNING), pytest.raises(psycopg.OperationalError, match=message):
        yield
    assert reason in caplog.text


def test_the_administrator_makes_roles_and_databases_and_is_no_superuser(server: Sql) -> None:
    with server.log_in() as connection:
        row = connection.execute(
            "SELECT current_user::text, rolcreaterole, rolcreatedb, rolsuper, "
            "pg_has_role('azure_administrators', 'member') FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (ADMINISTRATOR, True, True, False, True)
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        assert connection.execute(owner).fetchone() == ("azure_administrators",)
        connection.execute("CREATE DATABASE scratch")
        connection.execute("DROP DATABASE scratch")


@pytest.mark.parametrize(
    "attempt",
    [
        "GRANT pg_execute_server_program TO CURRENT_USER",
        "GRANT pg_read_server_files TO CURRENT_USER",
        "GRANT pg_write_server_files TO CURRENT_USER",
        "GRANT azure_superuser TO CURRENT_USER",
        "ALTER ROLE azure_replication LOGIN",
        "SET ROLE azure_superuser",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "ALTER SYSTEM SET archive_mode = off",
    ],
)
def test_the_administrator_cannot_get_out_of_the_database(server: Sql, attempt: str) -> None:
    with server.log_in() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(attempt.encode())


def test_the_system_database_is_the_administrators(server: Sql, agent: str) -> None:
    with server.log_in(database="master") as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("master",)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        server.log_in(AGENT, server.token(agent), database="master")


@pytest.mark.parametrize(
    "audience",
    [
        "https://database.windows.net/",
        "https://database.windows.net",
        "https://database.azure.test",
        "https://ossrdbms-aad.database.windows.net",
        "https://ossrdbms-aad.database.azure.test",
    ],
)
def test_a_user_logs_in_with_a_token_of_its_identity(server: Sql, agent: str, audience: str) -> None:
    with server.log_in(AGENT, server.token(agent, audience)) as connection:
        assert connection.execute("SELECT current_user, count(*) FROM executions").fetchone() == (AGENT, 0)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO executions VALUES (1)")


def test_names_of_databases_do_not_differ_by_case(server: Sql) -> None:
    with server.log_in(database=DATABASE.lower()) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (DATABASE,)


def test_a_token_for_something_else_is_refused(
    server: Sql, agent: str, caplog: pytest.LogCaptureFixture
) -> None:
    with refused(caplog, "wrong audience", "InvalidAuthenticationTokenAudience"):
        server.log_in(AGENT, server.token(agent, "https://vault.azure.net"))


def test_an_expired_token_is_refused(server: Sql, agent: str, caplog: pytest.LogCaptureFixture) -> None:
    with refused(caplog, "expiry", "ExpiredAuthenticationToken"):
        server.log_in(AGENT, server.token(agent, exp=int(time.time()) - 1))


@pytest.mark.parametrize("password", ["", "Passw0rd!", "a.b.c", "x" * 60_000])
def test_what_is_no_token_is_refused(
    server: Sql, agent: str, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(psycopg.OperationalError):
        server.log_in(AGENT, password)
    assert len(caplog.text) < 4000


def test_a_token_of_somebody_else_is_refused(
    server: Sql, agent: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = server.principal("id-other")
    with refused(caplog, f"Login failed for user '{AGENT}'", f"the token is of 'id-other' ({other})"):
        server.log_in(AGENT, server.token(other))
    with refused(caplog, f"Login failed for user '{ADMINISTRATOR}'", f"the token is of {other}"):
        server.log_in(ADMINISTRATOR, server.token(other))


def test_an_identity_without_a_user_is_refused(server: Sql, caplog: pytest.LogCaptureFixture) -> None:
    stranger = server.principal("id-stranger")
    with refused(caplog, "Login failed", "there is no user of that name"):
        server.log_in("id-stranger", server.token(stranger))
    with server.log_in() as connection:
        connection.execute('CREATE ROLE "id-stranger" NOLOGIN')
    with refused(caplog, "Login failed", "there is no user of that name"):
        server.log_in("id-stranger", server.token(stranger))


@pytest.mark.parametrize("name", ["azure_superuser", "azure_replication", "postgres", "pg_monitor", "SA"])
def test_an_identity_named_like_a_role_of_the_server_is_not_it(server: Sql, name: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="Login failed"):
        server.log_in(name, server.token(server.principal(name)))


def test_a_user_stays_with_the_identity_it_was_first_used_by(
    server: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    first = server.principal("id-remade")
    with server.log_in() as connection:
        connection.execute('CREATE ROLE "id-remade" LOGIN')
    server.log_in("id-remade", server.token(first)).close()
    server.services.principals.remove(first)
    second = server.principal("id-remade")
    with refused(caplog, "Login failed", f"bound to the principal {first}"):
        server.log_in("id-remade", server.token(second))
    with server.log_in() as connection:
        connection.execute('DROP ROLE "id-remade"')
        connection.execute('CREATE ROLE "id-remade" LOGIN')
    server.log_in("id-remade", server.token(second)).close()


def test_of_two_identities_with_one_name_neither_gets_in_unless_it_is_named(
    server: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = server.principal("id-twin"), server.principal("id-twin")
    with server.log_in() as connection:
        connection.execute('CREATE ROLE "id-twin" LOGIN')
        with refused(caplog, "Login failed", "several principals have that name"):
            server.log_in("id-twin", server.token(one))
        connection.execute(f"COMMENT ON ROLE \"id-twin\" IS 'aadauth,oid={two}'")
    server.log_in("id-twin", server.token(two)).close()
    with refused(caplog, "Login failed", f"bound to the principal {two}"):
        server.log_in("id-twin", server.token(one))


def test_names_longer_than_postgresql_keeps(server: Sql) -> None:
    name = "id-" + "long" * 25
    object_id = server.principal(name)
    with server.log_in() as connection:
        connection.execute(f'CREATE ROLE "{name}" LOGIN'.encode())
    with server.log_in(name, server.token(object_id)) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (name[:63],)


def test_a_group_administers_through_its_members(server: Sql) -> None:
    group, member = str(uuid.uuid4()), server.principal("id-of-the-group")
    body = {"properties": {"administratorType": "ActiveDirectory", "login": "sql-admins", "sid": group}}
    administrators = server.arm.server_azure_ad_administrators
    administrators.begin_create_or_update(GROUP, SERVER, "ActiveDirectory", body, polling_interval=0).result()
    try:
        with server.log_in("sql-admins", server.token(member, groups=[group])) as connection:
            connection.execute("CREATE ROLE by_the_group")
        with pytest.raises(psycopg.OperationalError, match="Login failed"):
            server.log_in("sql-admins", server.token(member))
        # Who administered before does so no more.
        with pytest.raises(psycopg.OperationalError, match="Login failed"):
            server.log_in()
    finally:
        mine = {"properties": {"login": ADMINISTRATOR, "sid": server.administrator}}
        administrators.begin_create_or_update(
            GROUP, SERVER, "ActiveDirectory", mine, polling_interval=0
        ).result()
    with server.log_in() as connection:
        connection.execute("DROP ROLE by_the_group")
    with pytest.raises(psycopg.OperationalError, match="Login failed"):
        server.log_in("sql-admins", server.token(member, groups=[group]))


def test_an_application_may_administer_by_its_client_id(server: Sql) -> None:
    object_id, client_id = server.services.principals.create("id-by-client", "ManagedIdentity")
    body = {"properties": {"login": "id-by-client", "sid": client_id}}
    administrators = server.arm.server_azure_ad_administrators
    administrators.begin_create_or_update(GROUP, SERVER, "ActiveDirectory", body, polling_interval=0).result()
    try:
        with server.log_in("id-by-client", server.token(object_id)) as connection:
            connection.execute("CREATE ROLE made_by_client_id")
    finally:
        mine = {"properties": {"login": ADMINISTRATOR, "sid": server.administrator}}
        administrators.begin_create_or_update(
            GROUP, SERVER, "ActiveDirectory", mine, polling_interval=0
        ).result()


def test_only_the_name_that_was_asked_for_is_certified(server: Sql, tmp_path: Path) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        server.log_in(host="sql.agents")
    other = tmp_path / "other.pem"
    other.write_text(fakes.Authority().pem)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        server.log_in(sslrootcert=str(other))


def test_nothing_is_said_without_tls(server: Sql) -> None:
    with pytest.raises(psycopg.OperationalError, match="encrypted connection is required"):
        server.log_in(sslmode="disable")


def test_a_server_that_there_is_not(server: Sql, caplog: pytest.LogCaptureFixture) -> None:
    with refused(caplog, "Cannot open server 'sql-nowhere'", "there is no such server"):
        server.log_in(host="sql-nowhere")


def test_a_client_that_does_not_say_which_server(server: Sql, caplog: pytest.LogCaptureFixture) -> None:
    with refused(caplog, "The server's name could not be told", "its TLS names no server"):
        server.log_in(sslsni="0")


def test_a_database_that_there_is_not(server: Sql) -> None:
    with pytest.raises(psycopg.OperationalError, match='database "nothing" does not exist'):
        server.log_in(database="nothing")
    with pytest.raises(psycopg.OperationalError, match="Cannot open database"):
        server.log_in(database="template1")


def test_a_server_may_ask_for_newer_tls(server: Sql, caplog: pytest.LogCaptureFixture) -> None:
    server.make_server(SERVER, minimalTlsVersion="1.3")
    try:
        with refused(caplog, "needs TLS 1.3", "TLSv1.2 is below"):
            server.log_in(ssl_max_protocol_version="TLSv1.2")
        server.log_in().close()
    finally:
        server.make_server(SERVER, minimalTlsVersion="1.2")


def test_without_a_rule_nobody_gets_in(server: Sql, caplog: pytest.LogCaptureFixture) -> None:
    server.arm.firewall_rules.delete(GROUP, SERVER, "azure")
    try:
        with refused(caplog, "is not allowed to access the server", "NOT_LISTED"):
            server.log_in()
        server.make_server(SERVER, publicNetworkAccess="Disabled")
        server.let_azure_in()
        with refused(caplog, "Deny Public Network Access is set to Yes", "PUBLIC_ACCESS_DISABLED"):
            server.log_in()
    finally:
        server.make_server(SERVER, publicNetworkAccess="Enabled")
        server.let_azure_in()
    server.log_in().close()


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_running_statement_can_be_cancelled(server: Sql, encrypted: bool) -> None:
    with server.log_in() as connection:
        key = next(key for key in server.estate.gateway._keys if _process(key) == connection.info.backend_pid)

        def cancel() -> None:
            if encrypted:
                connection.cancel_safe(timeout=10)
                return
            # As libpq did before version 17.
            with socket.create_connection(("127.0.0.1", server.estate.gateway.port), timeout=5) as line:
                line.sendall(struct.pack(">II", 16, 80877102) + key)
                assert line.recv(1) == b""

        timer = threading.Timer(0.5, cancel)
        timer.start()
        began = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(30)")
        timer.join()
        assert time.monotonic() - began < 10
        assert connection.execute("SELECT 1").fetchone() == (1,)


def _process(key: bytes) -> int:
    return int.from_bytes(key[:4], "big")


def test_much_data_both_ways(server: Sql) -> None:
    with server.log_in() as connection:
        connection.execute("CREATE TABLE much (text text)")
        with connection.cursor().copy("COPY much FROM STDIN") as copy:
            for _ in range(40):
                copy.write("x" * 499_999 + "\n")
        assert connection.execute("SELECT sum(length(text)) FROM much").fetchone() == (40 * 499_999,)
        rows: list[Any] = connection.execute("SELECT text FROM much").fetchall()
        assert {len(text) for (text,) in rows} == {499_999}


@pytest.mark.parametrize(
    "content",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">II", 8, 80877104) * 50,
        struct.pack(">II", 8, 80877103) + b"\x16\x03\x01\xff\xff" + b"\0" * 500,
        struct.pack(">II", 16, 80877102) + b"12345678",
        b"\0" * 3,
    ],
)
def test_nonsense_on_the_port_harms_nobody(server: Sql, content: bytes) -> None:
    line = socket.create_connection(("127.0.0.1", server.estate.gateway.port), timeout=5)
    # It may be cut off before it has said all.
    with line, suppress(OSError):
        line.sendall(content)
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            pass
    server.log_in().close()
