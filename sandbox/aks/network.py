"""What turns a namespace on the sandbox's bridge into a Kubernetes node's: routes, services, masquerading.

Namespaces and links are made by `sandbox.host.network`; only a node's own namespace gets firewall rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network

from sandbox.aks.shell import run, succeeds
from sandbox.host import netns
from sandbox.host.command import ip, ip_json
from sandbox.host.network import NODE_LINK

#: The instance metadata service's address on every Azure VM.
IMDS = IPv4Address("169.254.169.254")


def route(namespace: str, gateways: Mapping[IPv4Network, IPv4Address]) -> None:
    """Send each pod network to its node, and drop the routes to nodes that are gone. A namespace that does
    not exist (yet) is left to whoever makes it."""
    if not netns.exists(namespace):
        return
    wanted = {str(network): str(gateway) for network, gateway in gateways.items()}
    current = {
        entry["dst"]: entry["gateway"]
        for entry in ip_json("-n", namespace, "route")
        if "gateway" in entry and entry["dst"] != "default"
    }
    for network in current.keys() - wanted.keys():
        ip("-n", namespace, "route", "delete", network)
    for network, gateway in wanted.items():
        if current.get(network) != gateway:
            ip("-n", namespace, "route", "replace", network, "via", gateway)


def prepare_node(namespace: str, pods: IPv4Network, ingress: IPv4Address) -> None:
    """The addresses of the metadata service and of the ingress controller, and the node's own for what pods
    send elsewhere."""
    for address in (IMDS, ingress):
        ip("-n", namespace, "address", "replace", f"{address}/32", "dev", "lo")
    netns.set_sysctl(namespace, "net.ipv4.conf.all.rp_filter", "0")
    leaving = ("POSTROUTING", "-s", str(pods), "!", "-d", str(pods), "-j", "MASQUERADE")
    iptables = ("nsenter", f"--net={netns.path(namespace)}", "iptables", "-w", "-t", "nat")
    if not succeeds(*iptables, "-C", *leaving):
        run(*iptables, "-A", *leaving)


def hold(namespace: str, addresses: set[IPv4Address]) -> None:
    """Make the namespace answer for exactly these load balancer addresses, beside its own."""
    current = {
        IPv4Address(info["local"])
        for row in ip_json("-n", namespace, "-4", "address", "show", "dev", NODE_LINK)
        for info in row.get("addr_info", [])
        if info["prefixlen"] == 32
    }
    for address in current - addresses:
        ip("-n", namespace, "address", "delete", f"{address}/32", "dev", NODE_LINK)
    for address in addresses - current:
        ip("-n", namespace, "address", "add", f"{address}/32", "dev", NODE_LINK)
