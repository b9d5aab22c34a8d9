"""Whatever the policies, the rules decide about every packet as the specification does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.aks.networkpolicy.cluster import OUTSIDE, passes, pod, policy, tables
from tests.sandbox.aks.networkpolicy.specification import Packet, World

Json = dict[str, Any]
_KEYS, _VALUES = ("app", "tier"), ("a", "b")
NAMESPACES = {"agents": {"team": "a"}, "kube-system": {"team": "b", "app": "a"}}
_PORTS = [
    {"name": "http", "containerPort": 80},
    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
    {"name": "http", "containerPort": 8080},
]
_ADDRESSES = ("10.244.0.2", "10.244.0.3", "10.244.1.2", "10.244.1.3")
_NUMBERS = (53, 80, 8080)

labels = st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(_VALUES), max_size=2)
expressions = st.one_of(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from((*_KEYS, "team")),
            "operator": st.sampled_from(("In", "NotIn")),
            "values": st.lists(st.sampled_from(_VALUES), min_size=1, max_size=2, unique=True),
        }
    ),
    st.fixed_dictionaries(
        {
            "key": st.sampled_from((*_KEYS, "team")),
            "operator": st.sampled_from(("Exists", "DoesNotExist")),
        }
    ),
)
selectors = st.fixed_dictionaries(
    {}, optional={"matchLabels": labels, "matchExpressions": st.lists(expressions, max_size=2)}
)
blocks = st.fixed_dictionaries(
    {"cidr": st.sampled_from(("0.0.0.0/0", "10.0.0.0/8", "10.244.0.0/24", "192.0.2.1/32"))},
    optional={
        "except": st.lists(
            st.sampled_from(("10.240.16.0/24", "10.244.0.2/31", "192.0.0.0/16", "10.240.0.0/16")), max_size=2
        )
    },
)
peers = st.one_of(
    st.fixed_dictionaries({"ipBlock": blocks}),
    st.fixed_dictionaries({"podSelector": selectors}),
    st.fixed_dictionaries({"namespaceSelector": selectors}),
    st.fixed_dictionaries({"podSelector": selectors, "namespaceSelector": selectors}),
)


@st.composite
def ports(draw: st.DrawFn) -> Json:
    protocol = draw(st.sampled_from(("TCP", "UDP", "SCTP", None)))
    found: Json = {"protocol": protocol} if protocol else {}
    chosen = draw(st.sampled_from((None, "http", "dns", "none", *_NUMBERS, 1)))
    if chosen is not None:
        found["port"] = chosen
        if isinstance(chosen, int) and draw(st.booleans()):
            found["endPort"] = draw(st.integers(chosen, 9000))
    return found


def rules(peer_key: str) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {}, optional={peer_key: st.lists(peers, max_size=2), "ports": st.lists(ports(), max_size=3)}
    )


@st.composite
def policies(draw: st.DrawFn) -> Json:
    ingress = draw(st.none() | st.lists(rules("from"), max_size=2))
    egress = draw(st.none() | st.lists(rules("to"), max_size=2))
    return policy(
        draw(selectors),
        namespace=draw(st.sampled_from(sorted(NAMESPACES))),
        # The API server sees to it that a policy has a direction.
        ingress=[] if ingress is egress is None else ingress,
        egress=egress,
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    pods = []
    for number, address in enumerate(_ADDRESSES):
        namespace = draw(st.sampled_from(sorted(NAMESPACES)))
        opened = draw(st.lists(st.sampled_from(_PORTS), max_size=2, unique_by=lambda one: one["name"]))
        pods.append(pod(f"pod-{number}", address, namespace=namespace, ports=opened, **draw(labels)))
    return World(pods, NAMESPACES, draw(st.lists(policies(), max_size=4)), draw(st.booleans()))


packets = st.builds(
    Packet,
    st.sampled_from((*_ADDRESSES, *OUTSIDE)),
    st.sampled_from((*_ADDRESSES, *OUTSIDE)),
    st.sampled_from(("TCP", "UDP", "SCTP")),
    st.sampled_from((*_NUMBERS, 1, 8000)),
)


@given(worlds(), st.lists(packets, min_size=5, max_size=15))
@settings(max_examples=300)
@pytest.mark.slow
def test_rules_decide_as_the_specification_says(world: World, sent: list[Packet]) -> None:
    rendered = tables(world)
    for packet in sent:
        assert passes(rendered, packet) == world.passes(packet), packet
