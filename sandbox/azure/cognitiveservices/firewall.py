"""Which networks an account answers.

https://learn.microsoft.com/azure/ai-services/cognitive-services-virtual-networks
"""

from __future__ import annotations

from starlette.requests import Request

from sandbox.arm.resource import Resource
from sandbox.azure.cognitiveservices.errors import gateway
from sandbox.network.admission import Connection, Reason, of_acls, refusal
from sandbox.services import Services


def require(services: Services, account: Resource, request: Request) -> None:
    """Raise OpenAIError 403 unless the request came by a way that the account allows."""
    rules = of_acls(account.properties, bypass="None")
    found = refusal(services, account, "account", rules, Connection.of(request))
    if found is None:
        return
    if found.reason is Reason.PUBLIC_ACCESS_DISABLED:
        raise gateway(403, "403", "Public access is disabled. Please configure private endpoint.")
    raise gateway(403, "403", "Access denied due to Virtual Network/Firewall rules.")
