"""The private network: one bridge in the sandbox's namespace, one veth to the host, one veth per AKS node,
and one to a namespace that plays the internet.

Owns the namespace `Config.netns`, the namespaces `<netns>.<node>` and `<netns>.internet`, the host's end of
the veth and nothing else: the host forwards no packet and gets no firewall rule. Every operation can be
repeated, and completes what an earlier, killed one began.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from sandbox.config import Config
from sandbox.host import mounts, netns
from sandbox.host.command import attempt, ip, ip_json
from sandbox.host.errors import HostError
from sandbox.network import addresses

BRIDGE = "azure0"
#: Inside the sandbox's namespace: the peer of the host's veth.
_UPLINK = "host0"
#: Inside the namespace of a node or of the internet.
NODE_LINK = "eth0"
#: Inside the sandbox's namespace: the peer of the internet's link.
INTERNET_LINK = "internet0"
INTERNET = "internet"


@dataclass(frozen=True)
class Node:
    """A machine on the private network. `name` is unique in the sandbox, e.g. `c1-n10`."""

    name: str
    address: IPv4Address


def host_link(config: Config) -> str:
    """Name of the host's end, e.g. `azure-10-77` (a link's name may have 15 characters)."""
    first, second = str(config.network).split(".")[:2]
    return f"azure-{first}-{second}"


def node_netns(config: Config, node: str) -> str:
    """The dot keeps the nodes of a sandbox apart from another sandbox whose name starts the same."""
    return f"{config.netns}.{node}"


def _port(node: Node) -> str:
    """The bridge's end of a node's veth, from the address because names may be too long for a link."""
    return "n" + "-".join(str(node.address).split(".")[2:])


def _mac(address: IPv4Address) -> str:
    """Locally administered, and a function of the IP address: neighbours that remember a machine find the one
    that is made in its place, and a bridge does not change its own with every port.
    """
    return "02:00:" + ":".join(f"{byte:02x}" for byte in address.packed)


def check_clash(config: Config) -> None:
    """Refuse addresses that the host already routes elsewhere: the sandbox would take them away from it."""
    for route in ip_json("-4", "route", "show", "table", "all"):
        destination, device = route.get("dst", "default"), route.get("dev", "?")
        if destination == "default" or device == host_link(config):
            continue
        if IPv4Network(destination, strict=False).overlaps(config.network):
            raise HostError(
                f"the sandbox's network {config.network} overlaps {destination}, which this machine reaches "
                f"through {device}. Give the sandbox another private /16: AGENTS_SANDBOX_NETWORK=10.90.0.0/16"
            )


def create(config: Config) -> None:
    """Bring up namespace, bridge and the host's veth."""
    check_clash(config)
    _note_netns_mount(config)
    netns.create(config.netns)
    netns.set_sysctl(config.netns, "net.ipv4.ip_forward", "1")
    if BRIDGE not in netns.links(config.netns):
        ip("-n", config.netns, "link", "add", BRIDGE, "address", _mac(config.gateway), "type", "bridge")
    _address(config.netns, BRIDGE, f"{config.gateway}/{config.network.prefixlen}")
    ip("-n", config.netns, "link", "set", BRIDGE, "up")
    link = host_link(config)
    if _UPLINK not in netns.links(config.netns):
        attempt(["ip", "link", "del", link])
        peer = ("peer", "name", _UPLINK, "netns", config.netns)
        ip("link", "add", link, "address", _mac(config.host_address), "type", "veth", *peer)
    ip("-n", config.netns, "link", "set", _UPLINK, "master", BRIDGE, "up")
    address = f"{config.host_address}/{config.network.prefixlen}"
    if address not in _addresses(None, link):
        ip("addr", "replace", address, "dev", link)
    ip("link", "set", link, "up")
    # The gateway answers at every private endpoint's address.
    endpoints = str(addresses.endpoints(config))
    ip("-n", config.netns, "route", "replace", "local", endpoints, "dev", "lo")
    _connect_internet(config)


def internet_netns(config: Config) -> str:
    """The namespace in which only what is public can be reached; the sandbox's rules see to that."""
    return node_netns(config, INTERNET)


def _connect_internet(config: Config) -> None:
    name, length = internet_netns(config), addresses.INTERNET.prefixlen
    netns.create(name)
    if NODE_LINK not in netns.links(name):
        attempt(["ip", "-n", config.netns, "link", "del", INTERNET_LINK])
        peer = ("peer", "name", NODE_LINK, "netns", name)
        ip("-n", config.netns, "link", "add", INTERNET_LINK, "type", "veth", *peer)
    for namespace, link, address in (
        (config.netns, INTERNET_LINK, addresses.INTERNET_GATEWAY),
        (name, NODE_LINK, addresses.INTERNET_CLIENT),
    ):
        _address(namespace, link, f"{address}/{length}")
        ip("-n", namespace, "link", "set", link, "up")
    ip("-n", name, "route", "replace", "default", "via", str(addresses.INTERNET_GATEWAY), "dev", NODE_LINK)


def add_node(config: Config, node: Node) -> str:
    """Namespace of a node (created, or completed) with address, default route and forwarding; its name."""
    if node.address not in config.network:
        raise HostError(f"node {node.name}: address {node.address} is not in {config.network}")
    name, port = node_netns(config, node.name), _port(node)
    netns.create(name)
    netns.set_sysctl(name, "net.ipv4.ip_forward", "1")
    if NODE_LINK not in netns.links(name):
        attempt(["ip", "-n", config.netns, "link", "del", port])
        peer = ("peer", "name", NODE_LINK, "address", _mac(node.address), "netns", name)
        ip("-n", config.netns, "link", "add", port, "type", "veth", *peer)
    ip("-n", config.netns, "link", "set", port, "master", BRIDGE, "up")
    _address(name, NODE_LINK, f"{node.address}/{config.network.prefixlen}")
    ip("-n", name, "link", "set", NODE_LINK, "up")
    ip("-n", name, "route", "replace", "default", "via", str(config.gateway), "dev", NODE_LINK)
    return name


def unplug(config: Config, node: Node) -> None:
    """Cut a node off, as if its cable were pulled: what runs on it goes on, and reaches nothing. `add_node`
    plugs it in again. Nothing happens when the node has no namespace."""
    port = _port(node)
    if netns.exists(config.netns) and port in netns.links(config.netns):
        # The bridge's end: the node keeps its own link, and with it addresses and routes.
        ip("-n", config.netns, "link", "set", port, "down")


def remove_node(config: Config, node: str) -> None:
    """Remove a node's namespace and those of its pods. Its processes should have ended."""
    name = node_netns(config, node)
    for pod in pods_of(name):
        netns.remove(pod)
    _remove_links(name)
    netns.remove(name)


def nodes(config: Config) -> list[str]:
    """Names of the nodes whose namespace exists, left over ones included."""
    return [name for name in _members(config) if name != INTERNET]


def _members(config: Config) -> list[str]:
    """Of the namespaces `<netns>.*`."""
    prefix = node_netns(config, "")
    return [name.removeprefix(prefix) for name in netns.names() if name.startswith(prefix)]


def pods_of(namespace: str) -> list[str]:
    """Pod namespaces (`cni-…`) that a veth connects to `namespace`."""
    return sorted(name for name in netns.peers(namespace) if name.startswith("cni-"))


def pods_by_inode(inodes: Collection[int]) -> list[str]:
    """Pod namespaces among the given ones (those that processes of ours live in)."""
    pods = [name for name in netns.names() if name.startswith("cni-") and netns.exists(name)]
    return [pod for pod in pods if netns.inode(pod) in inodes]


def pids(config: Config) -> set[int]:
    """Processes in our namespaces, those included that we did not start (a shell someone entered with)."""
    names = [config.netns, *(node_netns(config, member) for member in _members(config))]
    return {pid for name in names if netns.exists(name) for pid in netns.pids(name)}


def remove(config: Config, pods: Collection[str] = ()) -> None:
    """Remove everything of ours, and the pod namespaces given (see `pods_by_inode`). Repeatable."""
    for pod in pods:
        netns.remove(pod)
    for member in _members(config):
        remove_node(config, member)
    attempt(["ip", "link", "del", host_link(config)])
    _remove_links(config.netns)
    netns.remove(config.netns)
    _restore_netns_mount(config)


def is_up(config: Config) -> bool:
    """Whether the host's end is in place and so is the namespace; needs no privilege."""
    address = f"{config.host_address}/{config.network.prefixlen}"
    return netns.exists(config.netns) and address in _addresses(None, host_link(config))


def _addresses(namespace: str | None, link: str) -> set[str]:
    enter = ["-n", namespace] if namespace else []
    rows = ip_json(*enter, "-4", "addr", "show", "dev", link)
    return {f"{info['local']}/{info['prefixlen']}" for row in rows for info in row.get("addr_info", [])}


def _address(namespace: str, link: str, address: str) -> None:
    if address not in _addresses(namespace, link):
        ip("-n", namespace, "addr", "flush", "dev", link)
        ip("-n", namespace, "addr", "add", address, "dev", link)


def _remove_links(namespace: str) -> None:
    """Delete veths at once: the kernel frees a namespace, and with it the peers, only some time later."""
    if netns.exists(namespace):
        for row in ip_json("-n", namespace, "link", "show", "type", "veth"):
            attempt(["ip", "-n", namespace, "link", "del", row["ifname"]])


def _netns_mount_note(config: Config) -> Path:
    return config.state / "made-run-netns"


def _note_netns_mount(config: Config) -> None:
    """`ip netns add` mounts /run/netns onto itself the first time; remember if that is because of us."""
    if not mounts.is_mounted(netns.FOLDER):
        config.state.mkdir(parents=True, exist_ok=True)
        _netns_mount_note(config).touch()


def _restore_netns_mount(config: Config) -> None:
    note = _netns_mount_note(config)
    if note.exists() and not netns.names():
        mounts.unmount_below(netns.FOLDER)
    note.unlink(missing_ok=True)
