"""Plans in force on a real machine: packets, names and connections of nodes, the host and the internet."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from sandbox.config import Config
from sandbox.host import dns, netns, network
from sandbox.host.command import run
from sandbox.host.hosts import HostNames
from sandbox.network import addresses
from sandbox.network.apiservers import Gate
from sandbox.network.fabric import Fabric
from sandbox.network.plan import Plan, View
from sandbox.toolchain.versions import versions

pytestmark = pytest.mark.live

DEV, PROD = network.Node("one", IPv4Address("10.79.1.11")), network.Node("two", IPv4Address("10.79.2.11"))
SERVER = network.Node("api", IPv4Address("10.79.1.10"))
#: The same in both networks, as every environment has the same address plan.
PRIVATE = IPv4Address("10.240.16.4")
EVERYWHERE = "0.0.0.0"  # noqa: S104
VAULT = "kv.vault.azure79.test"

#: Answers every connection with both its ends and closes it.
_ECHO = """
import json, socket, sys
server = socket.create_server((sys.argv[1], 443))
print("listening", flush=True)
while True:
    one, peer = server.accept()
    one.sendall(json.dumps([peer[0], one.getsockname()[0]]).encode())
    one.close()
"""
_CALL = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], 443), timeout=1.5) as one:
        print(one.recv(200).decode())
except OSError as error:
    print("null")
"""
_ASK = """
import dns.resolver, sys
asking = dns.resolver.Resolver(configure=False)
asking.nameservers, asking.lifetime = [sys.argv[1]], 5
try:
    print(asking.resolve(sys.argv[2] + ".", "A")[0])
except (dns.resolver.NXDOMAIN, dns.resolver.NoNameservers):
    print()
"""


@dataclass
class World:
    config: Config
    fabric: Fabric

    def apply(self, wanted: Plan) -> None:
        asyncio.run(self.fabric.apply(wanted))

    def call(self, namespace: str | None, address: object) -> list[str] | None:
        """(peer, local) as the server sees them; None where nobody answers."""
        enter = ["nsenter", f"--net={netns.path(namespace)}"] if namespace else []
        found: list[str] | None = json.loads(run([*enter, sys.executable, "-S", "-c", _CALL, str(address)]))
        return found

    def resolve(self, namespace: str, name: str) -> str | None:
        enter = ["nsenter", f"--net={netns.path(namespace)}"]
        found = run([*enter, sys.executable, "-c", _ASK, str(self.config.gateway), name])
        return found.strip() or None

    @property
    def internet(self) -> str:
        return network.internet_netns(self.config)

    def node(self, node: network.Node) -> str:
        return network.node_netns(self.config, node.name)


@pytest.fixture
def world(machine: Config) -> Iterator[World]:
    network.create(machine)
    machine.run.mkdir(parents=True, exist_ok=True)
    for node in (DEV, PROD, SERVER):
        network.add_node(machine, node)
    coredns = dns.program(
        machine, machine.cache / f"coredns-{versions().go['coredns'].version}" / "bin" / "coredns"
    )
    HostNames(machine).publish(VAULT)
    enter = ["nsenter", f"--net={netns.path(machine.netns)}"]
    guarded = ["nsenter", f"--net={netns.path(network.node_netns(machine, SERVER.name))}"]
    echo = [sys.executable, "-S", "-c", _ECHO]
    processes = [
        subprocess.Popen([*enter, *echo, EVERYWHERE], stdout=subprocess.PIPE),
        subprocess.Popen([*guarded, *echo, str(SERVER.address)], stdout=subprocess.PIPE),
        subprocess.Popen([*enter, *coredns.command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
    ]
    for one in processes[:2]:
        assert one.stdout is not None
        assert one.stdout.readline() == b"listening\n"
    yield World(machine, Fabric(machine))
    for one in processes:
        one.kill()
        one.wait()


def way(config: Config, number: int) -> IPv4Address:
    return addresses.endpoints(config)[number]


def plan(config: Config) -> Plan:
    """Both networks have an endpoint at the same address; only the second has names for its own."""
    return Plan(
        views=(View("/prod", (PROD.address,), {VAULT: PRIVATE, "db.internal": IPv4Address("10.240.9.9")}),),
        ways={(DEV.address, PRIVATE): way(config, 1), (PROD.address, PRIVATE): way(config, 2)},
        outbound={DEV.address: IPv4Address("198.51.100.7")},
        host_names={VAULT: way(config, 2)},
    )


def test_an_address_leads_each_network_to_its_own_endpoint(world: World) -> None:
    world.apply(plan(world.config))
    assert world.call(world.node(DEV), PRIVATE) == [str(DEV.address), str(way(world.config, 1))]
    assert world.call(world.node(PROD), PRIVATE) == [str(PROD.address), str(way(world.config, 2))]
    world.apply(Plan())
    assert world.call(world.node(PROD), PRIVATE) is None


def test_only_the_host_reaches_the_addresses_behind_endpoints(world: World) -> None:
    world.apply(plan(world.config))
    behind = way(world.config, 2)
    assert world.call(None, behind) == [str(world.config.host_address), str(behind)]
    for namespace in (world.node(DEV), world.node(PROD), world.internet):
        assert world.call(namespace, behind) is None


def test_everybody_finds_public_services_at_their_public_address(world: World) -> None:
    world.apply(Plan())
    gateway = str(world.config.gateway)
    assert world.call(world.node(DEV), addresses.SERVICES) == [str(DEV.address), gateway]
    assert world.call(world.internet, addresses.SERVICES) == [str(addresses.INTERNET_CLIENT), gateway]
    assert world.call(None, gateway) == [str(world.config.host_address), gateway]


def test_names_mean_what_the_network_of_who_asks_says(world: World) -> None:
    world.apply(plan(world.config))
    public = str(addresses.SERVICES)
    assert world.resolve(world.node(PROD), VAULT) == str(PRIVATE)
    assert world.resolve(world.node(PROD), "db.internal") == "10.240.9.9"
    assert world.resolve(world.node(PROD), "other.internal") is None
    assert world.resolve(world.node(PROD), "other.azure79.test") == public
    assert world.resolve(world.node(DEV), VAULT) == public
    assert world.resolve(world.node(DEV), "db.internal") is None
    assert world.resolve(world.internet, VAULT) == public
    assert world.resolve(world.internet, "other.azure79.test") is None
    assert f"{way(world.config, 2)} {VAULT}\n" in Path("/etc/hosts").read_text()
    world.apply(Plan())
    assert world.resolve(world.node(PROD), VAULT) == public
    assert f"{world.config.gateway} {VAULT}\n" in Path("/etc/hosts").read_text()


def test_views_outlive_the_name_server(world: World) -> None:
    """It reads them again when it is started again, and so does a fabric that is."""
    world.apply(plan(world.config))
    assert dns.views_file(world.config).is_file()
    asyncio.run(Fabric(world.config).apply(plan(world.config)))
    assert world.resolve(world.node(PROD), VAULT) == str(PRIVATE)


def test_the_internet_reaches_what_is_public_and_nothing_else(world: World) -> None:
    balancer = IPv4Address("10.79.2.100")
    run(["ip", "-n", world.node(SERVER), "address", "add", f"{balancer}/32", "dev", network.NODE_LINK])
    gate = Gate(world.node(SERVER), SERVER.address, None, True, None, ())
    world.apply(Plan())
    assert world.call(world.internet, SERVER.address) is None
    world.apply(Plan(gates=(gate,)))
    assert world.call(world.internet, SERVER.address) == [
        str(addresses.INTERNET_CLIENT),
        str(SERVER.address),
    ]
    assert world.call(world.internet, world.config.host_address) is None


def test_what_leaves_for_the_internet_has_its_public_address(world: World) -> None:
    world.apply(plan(world.config))
    listener = subprocess.Popen(
        ["nsenter", f"--net={netns.path(world.internet)}", sys.executable, "-S", "-c", _ECHO, EVERYWHERE],
        stdout=subprocess.PIPE,
    )
    try:
        assert listener.stdout is not None
        assert listener.stdout.readline() == b"listening\n"
        seen = world.call(world.node(DEV), addresses.INTERNET_CLIENT)
        assert seen == ["198.51.100.7", str(addresses.INTERNET_CLIENT)]
    finally:
        listener.kill()
        listener.wait()


def test_a_guarded_api_server_answers_only_who_is_let_in(world: World) -> None:
    gate = Gate(world.node(SERVER), SERVER.address, (IPv4Network(PROD.address),), True, None, ())
    world.apply(Plan(gates=(gate,)))
    assert world.call(world.node(PROD), SERVER.address) is not None
    assert world.call(world.node(SERVER), SERVER.address) is not None
    for namespace in (world.node(DEV), None, world.internet):
        assert world.call(namespace, SERVER.address) is None
    world.apply(Plan(gates=(replace(gate, sources=None),)))
    for namespace in (world.node(DEV), None, world.internet):
        assert world.call(namespace, SERVER.address) is not None


def test_a_namespace_that_is_made_anew_gets_its_rules_again(world: World) -> None:
    gate = Gate(world.node(SERVER), SERVER.address, (IPv4Network(PROD.address),), False, None, ())
    world.apply(Plan(gates=(gate,)))
    network.remove_node(world.config, SERVER.name)
    network.add_node(world.config, SERVER)
    world.apply(Plan(gates=(gate,)))
    table = run(["nsenter", f"--net={netns.path(world.node(SERVER))}", "nft", "list", "table", "ip", "azure"])
    assert str(PROD.address) in table
