"""What lies outside Resource Manager: the domain's delegation, the way into the network, the secrets' key."""

from __future__ import annotations

from collections.abc import Iterator

from infra.preflight.report import Finding, check, missing, ok
from infra.preflight.subject import Subject


def domain(subject: Subject) -> Iterator[Finding]:
    """Whether the zone's name servers are asked is the parent domain's matter.

    https://learn.microsoft.com/rest/api/dns/zones/get
    """
    stack = subject.stack
    name = stack.settings.domain or subject.domain
    if name is None:
        yield missing(
            "domain",
            "no DNS zone is named for the agents to answer below",
            stack.set("domain", "example.com"),
        )
        return
    if stack.settings.domain is None:
        yield ok("domain", f"{name}, which this cloud answers for itself")
        return
    zone = subject.arm.find(f"{subject.group}/providers/Microsoft.Network/dnsZones/{name}", "2018-05-01")
    if zone is None:
        found = f"{name} has no zone yet; certificates need it delegated"
        yield check(
            "domain", found, f"after the deployment: pulumi stack output nameServers --stack {stack.name}"
        )
        return
    servers = " ".join(sorted(zone["properties"].get("nameServers") or ()))
    yield check("domain", f"{name} must be delegated to {servers}", f"dig +short NS {name}")


def network(subject: Subject) -> Iterator[Finding]:
    """A private cluster's API answers in its network only, and a closed registry takes no public build.

    https://learn.microsoft.com/azure/container-registry/tasks-agent-pools
    """
    if not subject.stack.settings.network.private:
        yield ok("network", "public: reached from anywhere")
        return
    if subject.domain is not None:
        yield ok("network", "private; this cloud leads into it")
        return
    way = "private: only a machine inside the network, or peered with it, can deploy the workload"
    yield check("network", way, "docs/azure.md, section Private clusters")
    build = "the registry is closed: the machines that `az acr build` runs on cannot push to it"
    yield check("image", build, "docs/azure.md, section Private clusters")


def secrets(subject: Subject) -> Iterator[Finding]:
    """The stacks in git are bound to the sandbox's passphrase, which is no secret."""
    stack = subject.stack
    if stack.provider is not None:
        yield ok("secrets", f"kept with {stack.provider}")
    elif subject.domain is not None:
        yield ok("secrets", "kept with a passphrase, as befits a cloud of one's own")
    else:
        found = f"Pulumi.{stack.name}.yaml names no secrets provider, so a passphrase would keep them"
        key = "azurekeyvault://NAME.vault.azure.net/keys/KEY"
        make = f"pulumi stack init {stack.name} --secrets-provider {key}"
        yield check("secrets", found, f"{make}, see docs/azure.md, section State and secrets")
