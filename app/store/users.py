"""Who may use the database: the agents' identities, all in one role, and nobody who is not listed.

The rights belong to the role, so they are the same for every agent, and an agent that is removed from the
list loses them with its membership. Executions are written and finished, never deleted. Rights are only added
here; a revision takes one back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from sqlalchemy import Connection, text

from app.store.tables import AGENT_EXECUTIONS

ROLE = "agents"
RIGHTS = ("SELECT", "INSERT", "UPDATE")

Dialect = Literal["mssql", "postgresql"]


def statements(dialect: Dialect, users: Iterable[str]) -> list[str]:
    """What makes `users` exactly the members of the role. Repeatable."""
    return _postgresql(list(users)) if dialect == "postgresql" else _mssql(list(users))


def apply(connection: Connection, dialect: Dialect, users: Iterable[str]) -> None:
    """Run them on an autocommit connection: Azure SQL makes no external user inside a transaction."""
    for statement in statements(dialect, users):
        connection.execute(text(statement))


def _postgresql(users: Sequence[str]) -> list[str]:
    table = _quoted(AGENT_EXECUTIONS.name)
    role, kept = _quoted(ROLE), ", ".join(map(_literal, [*users, ""]))
    return [
        _unless_role(ROLE, f"CREATE ROLE {role} NOLOGIN"),
        f"GRANT {', '.join(RIGHTS)} ON {table} TO {role}",
        *(_unless_role(user, f"CREATE ROLE {_quoted(user)}") for user in users),
        # Also one that had been removed and comes back.
        *(f"ALTER ROLE {_quoted(user)} LOGIN" for user in users),
        *(f"GRANT {role} TO {_quoted(user)}" for user in users),
        # The names are quoted here as everywhere, and settings take none that needs it.
        f"""DO $$
DECLARE gone name;
BEGIN
    FOR gone IN
        SELECT member.rolname FROM pg_auth_members
        JOIN pg_roles AS member ON member.oid = pg_auth_members.member
        JOIN pg_roles AS role ON role.oid = pg_auth_members.roleid
        WHERE role.rolname = {_literal(ROLE)} AND member.rolname NOT IN ({kept})
    LOOP
        EXECUTE format('REVOKE %I FROM %I', {_literal(ROLE)}, gone);
        EXECUTE format('ALTER ROLE %I NOLOGIN', gone);
    END LOOP;
END $$""",  # noqa: S608
    ]


def _unless_role(name: str, statement: str) -> str:
    return f"""DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(name)}) THEN {statement}; END IF;
END $$"""


def _mssql(users: Sequence[str]) -> list[str]:
    table, role = _bracketed(AGENT_EXECUTIONS.name), _bracketed(ROLE)
    kept = ", ".join(map(_literal, [*users, ""]))
    return [
        _unless_principal(ROLE, f"CREATE ROLE {role}"),
        f"GRANT {', '.join(RIGHTS)} ON {table} TO {role}",
        # https://learn.microsoft.com/azure/azure-sql/database/authentication-aad-configure#contained-database-users
        *(
            _unless_principal(user, f"CREATE USER {_bracketed(user)} FROM EXTERNAL PROVIDER")
            for user in users
        ),
        *(f"ALTER ROLE {role} ADD MEMBER {_bracketed(user)}" for user in users),
        f"""DECLARE @gone nvarchar(max);
SELECT @gone = ISNULL(STRING_AGG(CAST(N'DROP USER ' + QUOTENAME(member.name) AS nvarchar(max)), N';'), N'')
FROM sys.database_role_members AS membership
JOIN sys.database_principals AS member ON member.principal_id = membership.member_principal_id
JOIN sys.database_principals AS role ON role.principal_id = membership.role_principal_id
WHERE role.name = N{_literal(ROLE)} AND member.name NOT IN ({kept});
EXEC sp_executesql @gone;""",  # noqa: S608
    ]


def _unless_principal(name: str, statement: str) -> str:
    known = f"SELECT 1 FROM sys.database_principals WHERE name = N{_literal(name)}"  # noqa: S608
    return f"IF NOT EXISTS ({known}) {statement};"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _bracketed(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
