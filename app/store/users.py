"""Who may use the database: the agents' identities, all in one role, and nobody who is not listed.

The rights belong to the role, so they are the same for every agent, and an agent that is removed from the
list loses them and its user. Executions are written and finished, never deleted. Rights are only added here;
a revision takes one back.

A user stands for one principal, known by its client id: where an identity was made anew under its old name,
as when a database is restored beside new identities, the user is too. Members of another environment, with
which the database is shared for a while, are kept as they are, by their names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, text

from app.store.tables import AGENT_EXECUTIONS

ROLE = "agents"
RIGHTS = ("SELECT", "INSERT", "UPDATE")

Dialect = Literal["mssql", "postgresql"]


def statements(dialect: Dialect, users: Mapping[str, UUID], kept: Collection[str] = ()) -> list[str]:
    """What makes `users` (name -> client id) the members of the role, beside those `kept`. Repeatable."""
    return _postgresql(users, kept) if dialect == "postgresql" else _mssql(users, kept)


def apply(
    connection: Connection, dialect: Dialect, users: Mapping[str, UUID], kept: Collection[str] = ()
) -> None:
    """Run them on an autocommit connection: each is of use by itself, and the next run does the rest."""
    for statement in statements(dialect, users, kept):
        connection.execute(text(statement))


def _postgresql(users: Mapping[str, UUID], kept: Collection[str]) -> list[str]:
    table, role = _quoted(AGENT_EXECUTIONS.name), _quoted(ROLE)
    found = [
        _unless_role(ROLE, f"CREATE ROLE {role} NOLOGIN"),
        f"GRANT {', '.join(RIGHTS)} ON {table} TO {role}",
    ]
    for user, client in users.items():
        label = f"aadauth,oid={client},type=service"
        found += [
            _unless_role(user, f"CREATE ROLE {_quoted(user)}"),
            f"ALTER ROLE {_quoted(user)} LOGIN",
            # Tells whoever checks the token whose it must be.
            f"COMMENT ON ROLE {_quoted(user)} IS {_literal(label)}",
            f"GRANT {role} TO {_quoted(user)}",
        ]
    # The names are quoted here as everywhere, and settings take none that needs it.
    remove = f"""DO $$
DECLARE gone name;
BEGIN
    FOR gone IN
        SELECT member.rolname FROM pg_auth_members
        JOIN pg_roles AS member ON member.oid = pg_auth_members.member
        JOIN pg_roles AS role ON role.oid = pg_auth_members.roleid
        WHERE role.rolname = {_literal(ROLE)} AND member.rolname NOT IN ({_listed([*users, *kept])})
    LOOP
        EXECUTE format('DROP ROLE %I', gone);
    END LOOP;
END $$"""  # noqa: S608
    return [*found, remove]


def _unless_role(name: str, statement: str) -> str:
    return f"""DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(name)}) THEN {statement}; END IF;
END $$"""


def _mssql(users: Mapping[str, UUID], kept: Collection[str]) -> list[str]:
    table, role = _bracketed(AGENT_EXECUTIONS.name), _bracketed(ROLE)
    found = [
        f"IF NOT EXISTS ({_principal(ROLE)}) CREATE ROLE {role};",
        f"GRANT {', '.join(RIGHTS)} ON {table} TO {role};",
    ]
    for user, client in users.items():
        # FROM EXTERNAL PROVIDER would look the id up, for which the server must be let into the directory.
        sid, name = f"0x{client.bytes_le.hex()}", _bracketed(user)
        found += [
            f"IF EXISTS ({_principal(user)} AND sid <> {sid}) DROP USER {name};",
            f"IF NOT EXISTS ({_principal(user)}) CREATE USER {name} WITH SID = {sid}, TYPE = E;",
            f"ALTER ROLE {role} ADD MEMBER {name};",
        ]
    remove = f"""DECLARE @gone nvarchar(max);
SELECT @gone = ISNULL(STRING_AGG(CAST(N'DROP USER ' + QUOTENAME(member.name) AS nvarchar(max)), N';'), N'')
FROM sys.database_role_members AS membership
JOIN sys.database_principals AS member ON member.principal_id = membership.member_principal_id
JOIN sys.database_principals AS role ON role.principal_id = membership.role_principal_id
WHERE role.name = N{_literal(ROLE)} AND member.name NOT IN ({_listed([*users, *kept])});
EXEC sp_executesql @gone;"""  # noqa: S608
    return [*found, remove]


def _principal(name: str) -> str:
    return f"SELECT 1 FROM sys.database_principals WHERE name = N{_literal(name)}"  # noqa: S608


def _listed(names: Collection[str]) -> str:
    """The list in `NOT IN (…)`, which must not be empty."""
    return ", ".join(map(_literal, [*names, ""]))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _bracketed(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
