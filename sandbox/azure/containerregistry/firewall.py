"""Which networks a registry answers: an ASGI layer around all its paths.

A cluster that pulls is none of the trusted services, and needs a private endpoint or a rule. Builds here all
come from the local Azure itself; whether theirs would pass is asked where they run (`tasks/agent_pools.py`).
https://learn.microsoft.com/azure/container-registry/container-registry-access-selected-networks and
.../allow-access-trusted-services
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.arm.resource import Resource
from sandbox.azure.containerregistry import naming, replies
from sandbox.azure.dataplane import find, host
from sandbox.network.admission import Connection, Rules, ranges, refusal
from sandbox.services import Services


@dataclass(frozen=True)
class Firewall:
    app: ASGIApp
    services: Services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        registry = find(self.services.store, naming.TYPE, host(request).partition(".")[0])
        found = (
            refusal(self.services, registry, "registry", rules(registry), Connection.of(request))
            if registry is not None
            else None
        )
        if found is None:
            await self.app(scope, receive, send)
            return
        refused = replies.error(403, "DENIED", denied(found.address))
        await refused(scope, receive, send)


def denied(address: IPv4Address) -> str:
    """How a registry words its refusal."""
    return (
        f"client with IP '{address}' is not allowed access. "
        "Refer https://aka.ms/acr/firewall to grant access."
    )


def rules(registry: Resource) -> Rules:
    """What its network settings say."""
    properties = registry.properties
    rule_set = properties.get("networkRuleSet") or {}
    return Rules(
        public=properties.get("publicNetworkAccess", "Enabled") == "Enabled",
        default=rule_set.get("defaultAction", "Allow") == "Allow",
        ranges=ranges(rule.get("value") for rule in rule_set.get("ipRules") or ()),
        trusted=properties.get("networkRuleBypassOptions", "AzureServices") == "AzureServices",
    )
