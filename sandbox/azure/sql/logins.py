"""From an Entra token to a role: who may log in to which server as whom.

The token is the password, as on Azure; its audience is one of SQL's, its principal must have the name that is
logged in with. Every refusal has a reason for the log; the client is told as much as helps its owner.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Principal
from sandbox.arm.resource import Resource
from sandbox.azure.sql import naming, roles, server_body
from sandbox.azure.sql.instance import Instance
from sandbox.services import Services

#: SQLSTATE: the login is not valid; the server is not there (yet); there is no such database.
INVALID, UNAVAILABLE, NO_DATABASE = "28000", "57P03", "3D000"


_AMBIGUOUS = (
    "several principals have that name, and the user is bound to none of them: say which with "
    "COMMENT ON ROLE … IS 'aadauth,oid=<object id>'"
)


class LoginRefusedError(Exception):
    """`reason` is for the log, `message` for the client."""

    def __init__(self, reason: str, message: str, state: str = INVALID) -> None:
        super().__init__(reason)
        self.reason, self.message, self.state = reason, message, state


@dataclass(frozen=True)
class Logins:
    services: Services

    async def role(self, server: Resource, instance: Instance, user: str, token: str) -> str:
        """The role that a login gets. Raises LoginRefusedError."""
        principal = self._principal(token)
        if naming.is_reserved(user):
            raise _refused(f"'{user}' is a reserved name", user)
        administrator = server_body.administrator(server.properties)
        if administrator is not None and user == administrator.login:
            if administrator.sid.lower() in {*_ids(principal), *_groups(principal)}:
                return roles.clip(user)
            raise _refused(
                f"the token is of {principal.object_id}, not of the administrator {administrator.sid}", user
            )
        name = self.services.principals.name(principal.object_id)
        if name is None or name != user:
            raise _refused(f"the token is of '{name}' ({principal.object_id})", user)
        return await self._user(instance, user, principal)

    def _principal(self, token: str) -> Principal:
        names = self.services.names
        audiences = (
            "https://database.windows.net",
            f"https://{naming.suffix(names)}",
            "https://ossrdbms-aad.database.windows.net",
            f"https://ossrdbms-aad.{naming.suffix(names)}",
        )
        try:
            return self.services.tokens.verify(token, audiences)
        except ArmError as error:
            raise LoginRefusedError(
                f"{error.code}: {error.message}",
                f"Login failed: the password must be an access token of Microsoft Entra ID. {error.message}",
            ) from error

    async def _user(self, instance: Instance, user: str, principal: Principal) -> str:
        try:
            async with instance.connect() as connection:
                role = await roles.find(connection, user)
                if role is None or not role.can_log_in:
                    raise _refused("there is no user of that name in the database", user)
                if role.bound_to is None:
                    if len(self.services.principals.named(user)) > 1:
                        raise _refused(_AMBIGUOUS, user)
                    if not instance.is_standby:
                        await roles.bind(connection, role, principal.object_id)
        except ArmError as error:
            raise unavailable(instance.name, error.message) from error
        if role.bound_to is not None and role.bound_to not in _ids(principal):
            raise _refused(
                f"the user is bound to the principal {role.bound_to}, the token is of "
                f"{principal.object_id}: re-create the user for a principal that was re-created",
                user,
            )
        return role.name


def unavailable(server: str, reason: str) -> LoginRefusedError:
    """Azure's transient error 40613."""
    return LoginRefusedError(
        reason,
        f"The database on server '{server}' is not currently available. Please retry the connection later.",
        UNAVAILABLE,
    )


def _ids(principal: Principal) -> set[str]:
    """An application is known by its object id as well as by its client id, which Azure's portal takes.
    https://github.com/MicrosoftDocs/azure-docs/issues/108448"""
    return {principal.object_id.lower(), principal.client_id.lower()}


def _groups(principal: Principal) -> set[str]:
    return {str(group).lower() for group in principal.claims.get("groups") or ()}


def _refused(reason: str, user: str) -> LoginRefusedError:
    """Azure's error 18456 tells a stranger no more than this."""
    return LoginRefusedError(reason, f"Login failed for user '{user}'.")
