"""`administrators` and `azureADOnlyAuthentications`: who administers a server, and that only Entra ID may.

Both are parts of the server too: the server's own properties are the truth, these resources show and change
them. A change takes effect in the instance before the PUT has succeeded.
"""

from __future__ import annotations

import logging
import time

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import child
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.azure.sql import groups, naming, roles, server_body
from sandbox.azure.sql.instance import instance
from sandbox.services import Services

log = logging.getLogger(__name__)

_NAME, _ONLY = "ActiveDirectory", "Default"


class AdministratorHandler(Handler):
    type = naming.ADMINISTRATOR
    long_running = True

    async def check(self, put: Put) -> None:
        server_body.check_administrator(put.body.get("properties") or {}, "properties")

    async def fill(self, put: Put) -> Body:
        server = _server(self.services, put.id)
        before = server.properties.get("administrators") or {"azureADOnlyAuthentication": False}
        return {"properties": server_body.administrator_body(put.body["properties"], before)}

    async def provision(self, resource: Resource) -> None:
        server = _server(self.services, resource.id)
        server.properties["administrators"] = dict(resource.properties)
        await apply(self.services, server)
        self.services.store.save(server)

    async def check_delete(self, resource: Resource) -> None:
        if resource.properties.get("azureADOnlyAuthentication"):
            raise bad_request(
                "AadOnlyAuthenticationIsEnabled",
                "The Microsoft Entra administrator cannot be removed while only Microsoft Entra "
                "authentication is enabled.",
            )

    async def delete(self, resource: Resource) -> None:
        server = self.services.store.get(naming.server_id(resource.id))
        if server is None:
            return
        server.properties.pop("administrators", None)
        self.services.store.save(server)
        try:
            await apply(self.services, server)
        except ArmError:
            # A server that is down, or going: its next start applies what its properties say.
            log.warning("%s does not answer: its administrator goes when it starts", server.id.name)


class EntraOnlyHandler(Handler):
    type = naming.ENTRA_ONLY
    long_running = True

    async def check(self, put: Put) -> None:
        wanted = bool((put.body.get("properties") or {}).get("azureADOnlyAuthentication"))
        server = _server(self.services, put.id)
        if wanted and not server.properties.get("administrators"):
            raise bad_request(
                "AadOnlyAuthenticationNeedsAdministrator",
                "Microsoft Entra only authentication needs a Microsoft Entra administrator.",
                "properties.azureADOnlyAuthentication",
            )

    async def provision(self, resource: Resource) -> None:
        server = _server(self.services, resource.id)
        administrators = server.properties.get("administrators")
        if administrators:
            wanted = bool(resource.properties.get("azureADOnlyAuthentication"))
            administrators["azureADOnlyAuthentication"] = wanted
            self.services.store.save(server)
            show(self.services, server)


def show(services: Services, server: Resource) -> None:
    """Have both resources say what the server's properties do."""
    administrators = server.properties.get("administrators")
    shown = child(server.id.text, naming.ADMINISTRATOR, _NAME)
    if administrators:
        _save(services, shown, dict(administrators))
    else:
        services.store.remove(shown)
    only = bool((administrators or {}).get("azureADOnlyAuthentication"))
    _save(services, child(server.id.text, naming.ENTRA_ONLY, _ONLY), {"azureADOnlyAuthentication": only})


async def apply(services: Services, server: Resource) -> None:
    """Have the instance know who administers it; a replica's is told where its roles come from, its primary.

    Raises ArmError when the instance does not answer.
    """
    members = groups.members(services.store, server)
    known = [server if member.id == server.id else member for member in members]
    wanted = [server_body.administrator(member.properties) for member in known]
    async with instance(services, known[0]).connect() as connection:
        await roles.set_administrators(connection, [one for one in wanted if one is not None])


def _save(services: Services, id: ResourceId, properties: Body) -> None:  # noqa: A002
    known, now = services.store.get(id), time.time()
    created = known.created_at if known is not None else now
    services.store.save(Resource(id, {"properties": properties}, created, now))


def _server(services: Services, id: ResourceId) -> Resource:  # noqa: A002
    server = services.store.get(naming.server_id(id))
    if server is None:
        raise ArmError(404, "ParentResourceNotFound", f"The server of '{id}' was not found.")
    return server
