"""Which networks a vault answers, once it knows who asks.

https://learn.microsoft.com/azure/key-vault/general/network-security
"""

from __future__ import annotations

from starlette.requests import Request

from sandbox.arm.handler import Principal
from sandbox.arm.resource import Resource
from sandbox.azure.keyvault.access import caller
from sandbox.azure.keyvault.errors import KeyVaultError
from sandbox.network.admission import Connection, Reason, of_acls, refusal
from sandbox.services import Services


def require(services: Services, vault: Resource, principal: Principal, request: Request) -> None:
    """Raise KeyVaultError 403 unless the request came by a way that the vault allows."""
    found = refusal(services, vault, "vault", of_acls(vault.properties), Connection.of(request))
    if found is None:
        return
    who = f"Caller: {caller(principal)}\r\nVault: {vault.id.name};location={vault.location}"
    if found.reason is Reason.PUBLIC_ACCESS_DISABLED:
        raise KeyVaultError(
            403,
            "Forbidden",
            "Public network access is disabled and request is not from a trusted service nor via an approved "
            f"private link.\r\n{who}",
            "ForbiddenByConnection",
        )
    raise KeyVaultError(
        403,
        "Forbidden",
        "Client address is not authorized and caller is not a trusted service.\r\n"
        f"Client address: {found.address}\r\n{who}",
        "ForbiddenByFirewall",
    )
