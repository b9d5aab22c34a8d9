"""Who may be whom in an instance: the Entra administrator's role, and roles bound to principals.

A role stands for the principal whose name it has. The first login binds it to that principal's object id, in
the role's comment (`aadauth,oid=…`, the label that Azure Database for PostgreSQL sets), so that another
principal that later has the same name is not let in, as Azure SQL would not let it in. Whoever may create
roles can also write that comment beforehand, with `COMMENT ON ROLE`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from sandbox.azure.sql.configuration import ADMINISTRATORS

_OID = re.compile(r"aadauth,oid=([0-9a-f-]{36})", re.IGNORECASE)
_ADMIN = ",admin"

Connection = AsyncConnection[TupleRow]


@dataclass(frozen=True)
class Administrator:
    """A server's Entra administrator: `login` names its role, `sid` is its object id (or its group's)."""

    login: str
    sid: str


@dataclass(frozen=True)
class Role:
    """`bound_to` is the object id of the principal that it is for, once that is settled."""

    name: str
    can_log_in: bool
    bound_to: str | None
    comment: str


def is_administrator(comment: str) -> bool:
    """Whether a role with this comment was made for a server's administrator."""
    return bool(_OID.search(comment)) and _ADMIN in comment


def without_administration(comment: str) -> str:
    """What is said of an administrator's role when it is one no longer."""
    return comment.replace(_ADMIN, "")


def clip(name: str) -> str:
    """What PostgreSQL keeps of a role's name: 63 bytes. (Managed identities may have longer names.)"""
    return name.encode()[:63].decode(errors="ignore")


async def find(connection: Connection, name: str) -> Role | None:
    """The role of that name, if there is one."""
    query: LiteralString = (
        "SELECT rolname::text, rolcanlogin, coalesce(shobj_description(oid, 'pg_authid'), '') "
        "FROM pg_roles WHERE rolname = %s"
    )
    row = await (await connection.execute(query, (clip(name),))).fetchone()
    if row is None:
        return None
    bound = _OID.search(row[2])
    return Role(row[0], row[1], bound[1].lower() if bound else None, row[2])


async def bind(connection: Connection, role: Role, object_id: str) -> None:
    """Settle that the role is this principal's. What the comment said before stays in it."""
    label = f"aadauth,oid={object_id.lower()},type=service"
    await comment(connection, role.name, f"{role.comment} {label}".strip())


async def set_administrators(connection: Connection, wanted: Sequence[Administrator]) -> None:
    """Make `wanted` the administrators, and who was one before no longer one. Repeatable.

    The first is the one of the server that is written. On Azure all administrators are `dbo`, so what one
    made is the other's too; here the first is a member of all the others. A former administrator's role
    stays, because it may own things, but nobody can log in as it.
    """
    logins = {clip(one.login): one for one in wanted}
    rows = await (
        await connection.execute(
            "SELECT rolname::text, shobj_description(oid, 'pg_authid') FROM pg_roles "
            "WHERE shobj_description(oid, 'pg_authid') ~ 'aadauth,oid=[^ ]*,admin'"
        )
    ).fetchall()
    for name, said in rows:
        if name not in logins:
            await _run(connection, "ALTER ROLE {} NOLOGIN NOCREATEROLE NOCREATEDB", name)
            await _run(connection, f"REVOKE {ADMINISTRATORS} FROM {{}}", name)
            await comment(connection, name, without_administration(said))
    for login, one in logins.items():
        if await find(connection, login) is None:
            await _run(connection, "CREATE ROLE {}", login)
        await _run(connection, "ALTER ROLE {} LOGIN CREATEROLE CREATEDB", login)
        await _run(connection, f"GRANT {ADMINISTRATORS} TO {{}} WITH ADMIN OPTION", login)
        await comment(connection, login, f"aadauth,oid={one.sid.lower()},type=service{_ADMIN}")
    first = next(iter(logins), None)
    for other in [*logins, *(name for name, _ in rows)]:
        if first is not None and other != first:
            await _member(connection, first, other)


async def _member(connection: Connection, member: str, of: str) -> None:
    """Two roles cannot be members of each other, so that the other way round ends first."""
    names = {"member": sql.Identifier(member), "of": sql.Identifier(of)}
    for statement in ("REVOKE {member} FROM {of}", "GRANT {of} TO {member}"):
        await connection.execute(sql.SQL(statement).format(**names))


async def _run(connection: Connection, statement: LiteralString, role: str) -> None:
    await connection.execute(sql.SQL(statement).format(sql.Identifier(role)))


async def comment(connection: Connection, role: str, text: str) -> None:
    """Say of a role whom it is for."""
    statement = sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(role), sql.Literal(text))
    await connection.execute(statement)
