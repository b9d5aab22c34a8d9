"""The users that belong to a database, as a restore brings them along.

On Azure they are contained in the database; PostgreSQL keeps roles for all databases of a cluster. So the
users of a database are the roles that own something in it or were granted something, and the members and
groups of those. A role that the target already has stays as it is there, with its memberships: the live
databases beside must not change. Administrators are the server's own: of theirs only the name comes, and
nobody can log in as it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from sandbox.azure.sql import naming, roles
from sandbox.azure.sql.roles import Connection


@dataclass(frozen=True)
class User:
    """A role: `comment` binds it to a principal (`roles`), `groups` are the roles that it is a member of."""

    name: str
    can_log_in: bool
    comment: str
    groups: tuple[str, ...]

    @property
    def is_administrator(self) -> bool:
        return roles.is_administrator(self.comment)


_QUERY = """
WITH RECURSIVE here AS (SELECT oid FROM pg_database WHERE datname = current_database()),
own AS (SELECT oid FROM pg_roles WHERE rolname !~ '^pg_' AND NOT rolname = ANY(%s)),
edge AS (
    SELECT roleid, member FROM pg_auth_members
    WHERE roleid IN (SELECT oid FROM own) AND member IN (SELECT oid FROM own)
),
found(oid) AS (
    SELECT refobjid FROM pg_shdepend
    WHERE refclassid = 'pg_authid'::regclass AND refobjid IN (SELECT oid FROM own)
    AND (dbid IN (SELECT oid FROM here)
         OR (classid = 'pg_database'::regclass AND objid IN (SELECT oid FROM here)))
    UNION
    SELECT CASE WHEN edge.member = found.oid THEN edge.roleid ELSE edge.member END
    FROM found JOIN edge ON found.oid IN (edge.roleid, edge.member)
)
SELECT rolname::text, rolcanlogin, coalesce(shobj_description(oid, 'pg_authid'), ''),
    ARRAY(SELECT pg_get_userbyid(roleid)::text FROM edge WHERE member = pg_roles.oid ORDER BY 1)
FROM pg_roles WHERE oid IN (SELECT oid FROM found) ORDER BY rolname
"""


async def of_database(connection: Connection) -> list[User]:
    """The users of the database that is connected to."""
    rows = await (await connection.execute(_QUERY, (sorted(naming.RESERVED),))).fetchall()
    return [User(name, can, comment, tuple(groups)) for name, can, comment, groups in rows]


async def ensure(connection: Connection, wanted: Sequence[User]) -> None:
    """Have the roles exist. Repeatable."""
    known = {name for (name,) in await (await connection.execute("SELECT rolname FROM pg_roles")).fetchall()}
    made = [user for user in wanted if user.name not in known]
    # All or nothing: a role that a kill left half-made would be taken for one that was there before.
    async with connection.transaction():
        for user in made:
            login = sql.SQL("LOGIN" if user.can_log_in and not user.is_administrator else "NOLOGIN")
            await connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(user.name), login))
            if user.comment:
                await roles.comment(connection, user.name, roles.without_administration(user.comment))
        for user in wanted:
            for group in user.groups:
                if user in made or group not in known:
                    await connection.execute(
                        sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(user.name))
                    )
