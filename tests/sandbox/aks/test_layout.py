"""Numbers, addresses and names of clusters and nodes."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from sandbox.aks import layout
from sandbox.config import Config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(state=tmp_path, network=IPv4Network("10.77.0.0/16"), netns="agents-sandbox")


def test_a_cluster_keeps_its_number_and_takes_the_lowest_free_one(config: Config) -> None:
    first, second = layout.allocate(config, "/a"), layout.allocate(config, "/b")
    assert (first.number, second.number) == (1, 2)
    assert layout.allocate(config, "/A").number == 1
    first.remove()
    assert layout.find(config, "/a") is None
    assert layout.allocate(config, "/c").number == 1
    assert [one.id for one in layout.existing(config)] in (["/b", "/c"], ["/c", "/b"])


def test_there_is_an_end_to_numbers(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MAX_CLUSTERS", 1)
    layout.allocate(config, "/a")
    with pytest.raises(LookupError):
        layout.allocate(config, "/b")


def test_nodes_keep_their_numbers_and_reuse_those_of_the_gone(config: Config) -> None:
    cluster = layout.allocate(config, "/a")
    assert [cluster.node(pool).number for pool in ("system", "user", "system")] == [1, 2, 1]
    cluster.forget_node("system")
    assert [node.pool for node in cluster.nodes()] == ["user"]
    assert cluster.node("other").number == 1


def test_addresses_do_not_collide(config: Config) -> None:
    cluster = layout.allocate(config, "/a")
    node = cluster.node("system")
    taken = [cluster.address, node.address, *cluster.load_balancers]
    assert len(set(taken)) == len(taken)
    assert all(address in IPv4Network("10.77.1.0/24") for address in taken)
    assert str(cluster.address) == "10.77.1.10"
    assert str(node.address) == "10.77.1.11"


def test_every_node_has_pods_of_its_own(config: Config) -> None:
    cluster, pods = layout.allocate(config, "/a"), IPv4Network("10.244.0.0/16")
    networks = [cluster.node(pool).pod_network(pods) for pool in ("a", "b")]
    assert [str(network) for network in networks] == ["10.244.0.0/24", "10.244.1.0/24"]


def test_names_tell_sandboxes_and_clusters_apart(config: Config) -> None:
    nodes = [layout.allocate(config, id_).node("system") for id_ in ("/a", "/b")]
    assert len({node.name for node in nodes}) == 2
    assert nodes[0].name.startswith("aks-system-")
    assert nodes[0].name.endswith("-vmss000000")
    assert {node.netns for node in nodes} == {"agents-sandbox.aks1-1", "agents-sandbox.aks2-1"}
    assert len({node.program("kubelet") for node in nodes}) == 2
