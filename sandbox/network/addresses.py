"""The addresses that make a private network look like Azure and the internet around it.

Those outside the sandbox's own /16 exist only inside its namespaces; they are documentation ranges
(RFC 5737), so nobody else's machine can be meant.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from sandbox.config import Config

#: Where clusters and the internet find every public endpoint: a public address, so that a network policy that
#: lets pods reach the internet and no private range lets them reach the local Azure.
SERVICES = IPv4Address("192.0.2.1")
#: What services see the host come from where no private endpoint leads.
OPERATOR = IPv4Address("198.51.100.1")
#: What services see a cluster come from that brings no address of its own, by the cluster's number.
CLUSTERS = IPv4Network("198.51.100.0/24")
#: The internet, as far as the sandbox has one: its namespace, and the sandbox's end of the link to it.
INTERNET = IPv4Network("203.0.113.0/24")
INTERNET_GATEWAY, INTERNET_CLIENT = INTERNET[1], INTERNET[10]

#: Third octet of the part of the sandbox's network that private endpoints have: clusters end below it.
_ENDPOINTS = 252


def endpoints(config: Config) -> IPv4Network:
    """One address for every private endpoint of the sandbox. Networks may share an address plan, so the
    addresses that Resource Manager shows do not tell endpoints apart; these do."""
    return IPv4Network((int(config.network.network_address) + (_ENDPOINTS << 8), 22))
