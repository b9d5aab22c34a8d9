"""The plan as nftables rules: one table in the gateway's namespace, one before each guarded API server."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, collapse_addresses

from sandbox.config import Config
from sandbox.host.network import INTERNET_LINK
from sandbox.network import addresses
from sandbox.network.apiservers import Gate
from sandbox.network.plan import Plan

TABLE = "azure"
#: What the internet may ask the gateway for: names, the web, and databases.
_PORTS = "53, 80, 443, 1433, 5432"


def gateway(config: Config, plan: Plan) -> str:
    """Replaces the table whole. Connections to a private endpoint's address come from the host or were sent
    there by the map: whoever else knows the address is refused, so that servers may rely on it."""
    ways = ", ".join(f"{node} . {address} : {way}" for (node, address), way in sorted(plan.ways.items()))
    outbound = ", ".join(f"{node} : {public}" for node, public in sorted(plan.outbound.items()))
    servers = _elements(gate.address for gate in plan.gates if gate.on_the_internet)
    balanced = ", ".join(f"{first}-{last}" for first, last in plan.balanced)
    range_, outside = addresses.endpoints(config), f'iifname "{INTERNET_LINK}"'
    lines = [
        "chain towards {",
        "type nat hook prerouting priority dstnat;",
        *([f"dnat to ip saddr . ip daddr map {{ {ways} }}"] if ways else []),
        f"ip daddr {addresses.SERVICES} dnat to {config.gateway}",
        "}",
        "chain from {",
        "type nat hook postrouting priority srcnat;",
        *([f'oifname "{INTERNET_LINK}" snat to ip saddr map {{ {outbound} }}'] if outbound else []),
        "}",
        "chain in {",
        "type filter hook input priority filter;",
        'iifname "lo" accept',
        "ct state established,related accept",
        f"ip daddr {range_} ip saddr != {config.host_address} ct status & dnat == 0 drop",
        f"{outside} ip daddr {config.gateway} meta l4proto {{ tcp, udp }} th dport {{ {_PORTS} }} accept",
        f"{outside} drop",
        "}",
        "chain through {",
        "type filter hook forward priority filter;",
        "ct state established,related accept",
        *([f"{outside} ip daddr {{ {servers} }} tcp dport 443 accept"] if servers else []),
        *([f"{outside} ip daddr {{ {balanced} }} accept"] if balanced else []),
        f"{outside} drop",
        "}",
    ]
    return replaced(TABLE, lines)


def gate(one: Gate) -> str:
    """In the API server's own namespace. What is not let in gets no answer, as on Azure."""
    if one.sources is None:
        return replaced(TABLE, [])
    return replaced(
        TABLE,
        [
            "chain in {",
            "type filter hook input priority filter;",
            'iifname "lo" accept',
            f"tcp dport 443 ip saddr != {{ {', '.join(map(str, collapse_addresses(one.sources)))} }} drop",
            "}",
        ],
    )


def replaced(table: str, lines: list[str]) -> str:
    """A script that puts this table in the place of the one there was, in one step."""
    return "\n".join(
        [f"table ip {table} {{}}", f"delete table ip {table}", f"table ip {table} {{", *lines, "}", ""]
    )


def _elements(found: Iterable[IPv4Address]) -> str:
    return ", ".join(map(str, sorted(found)))
