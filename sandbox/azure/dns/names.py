"""Which records of public zones become names that resolve in the sandbox.

Only names under the sandbox's own suffix (a zone elsewhere is not delegated to this Azure, as no zone is
until its registrar says so), and never one under which the cloud itself answers.
"""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

from sandbox.config import Config
from sandbox.names import Names


def fqdn(zone: str, relative: str) -> str:
    """Absolute name, without the final period."""
    return zone.lower() if relative == "@" else f"{relative}.{zone}".lower()


def is_reserved(names: Names, name: str) -> bool:
    """Whether the cloud's own endpoints answer there."""
    services = ("vault", "documents", "azurecr", "openai", "database", "storage")
    own = {names.management, names.login, names.graph, f"sts.{names.suffix}", *map(names.service, services)}
    below = tuple(f".{names.service(label)}" for label in services)
    return name in own or name.endswith((*below, f".azmk8s.{names.suffix}", f".prod-aks.{names.suffix}"))


def resolvable(config: Config, name: str, address: str) -> bool:
    """Whether it can be made to resolve: a plain name under the suffix, an address in the sandbox."""
    under = name == config.suffix or name.endswith(f".{config.suffix}")
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return under and "*" not in name and isinstance(found, IPv4Address) and found in config.network
