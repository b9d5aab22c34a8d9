"""Microsoft.ManagedIdentity: user-assigned identities and the outside tokens that may stand for them."""

from __future__ import annotations

from sandbox.arm.errors import bad_request, conflict
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parent
from sandbox.arm.resource import Body, Resource
from sandbox.config import TENANT_ID
from sandbox.entra.principals import MANAGED_IDENTITY

IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
#: Azure allows that many federated credentials per identity.
_MOST_CREDENTIALS = 20


class IdentityHandler(Handler):
    type = IDENTITY_TYPE

    async def fill(self, put: Put) -> Body:
        object_id, client_id = self.services.principals.create(
            put.id.name, MANAGED_IDENTITY, resource_id=put.id.text
        )
        ids = {"tenantId": TENANT_ID, "principalId": object_id, "clientId": client_id}
        return {**put.body, "properties": {**put.body.get("properties", {}), **ids}}

    async def delete(self, resource: Resource) -> None:
        self.services.principals.remove(resource.properties["principalId"])


class FederatedCredentialHandler(Handler):
    type = f"{IDENTITY_TYPE}/federatedIdentityCredentials"

    async def check(self, put: Put) -> None:
        sent = put.body["properties"]
        if not str(sent["issuer"]).startswith("https://"):
            raise bad_request(
                "InvalidIssuer", "The issuer must be a URL that begins with https://.", "properties.issuer"
            )
        others = [found for found in self._siblings(put) if found.id != put.id]
        for other in others:
            if (other.properties["issuer"], other.properties["subject"]) == (sent["issuer"], sent["subject"]):
                raise conflict(
                    "Conflict",
                    "Issuer and subject combination already exists for this Managed Identity: "
                    f"'{other.id.name}'.",
                )
        if len(others) >= _MOST_CREDENTIALS:
            raise bad_request(
                "FederatedIdentityCredentialLimitExceeded",
                f"An identity can have {_MOST_CREDENTIALS} federated identity credentials.",
            )

    async def provision(self, resource: Resource) -> None:
        properties = resource.properties
        self.services.principals.federate(
            self._principal(resource),
            resource.id.name,
            issuer=properties["issuer"],
            subject=properties["subject"],
            audiences=properties["audiences"],
        )

    async def delete(self, resource: Resource) -> None:
        self.services.principals.unfederate(self._principal(resource), resource.id.name)

    def _siblings(self, put: Put) -> list[Resource]:
        identity = parent(put.id)
        return list(self.services.store.list(type=self.type, under=identity.text if identity else None))

    def _principal(self, resource: Resource) -> str:
        identity = parent(resource.id)
        found = self.services.store.get(identity) if identity else None
        if found is None:
            raise LookupError(f"{resource.id} has no identity")
        return str(found.properties["principalId"])


HANDLERS = (IdentityHandler, FederatedCredentialHandler)
