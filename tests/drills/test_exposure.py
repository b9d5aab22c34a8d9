"""What a restore opens is seen, whatever a service calls it."""

from __future__ import annotations

from typing import Any

import pytest

from drills.exposure import as_of_another, opened, ways_in, without_address

ACCOUNT = "Microsoft.DocumentDB/databaseAccounts cosmos-agents-prod"
CLOSED: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("properties", "ways"),
    [
        ({"publicNetworkAccess": "Disabled"}, set()),
        ({"publicNetworkAccess": "Enabled"}, {"public network access"}),
        (
            {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}},
            {"public network access", "from anywhere unless denied"},
        ),
        (
            {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "192.0.2.0/24"}]}},
            {"from 192.0.2.0/24"},
        ),
        ({"networkRuleSet": {"defaultAction": "Allow"}}, {"from anywhere unless denied"}),
        (
            {"isVirtualNetworkFilterEnabled": False, "ipRules": [], "publicNetworkAccess": "Enabled"},
            {"public network access", "from anywhere unless denied"},
        ),
        (
            {"isVirtualNetworkFilterEnabled": False, "ipRules": [{"ipAddressOrRange": "192.0.2.1"}]},
            {"from 192.0.2.1"},
        ),
        ({"isVirtualNetworkFilterEnabled": False, "ipRules": [], "publicNetworkAccess": "Disabled"}, set()),
        ({"allowBlobPublicAccess": True}, {"anonymous reading of blobs"}),
        ({"allowSharedKeyAccess": True}, {"with a key"}),
        ({"disableLocalAuth": False}, {"with a key"}),
        ({"disableLocalAuth": True, "allowSharedKeyAccess": False}, set()),
        ({"kubernetesVersion": "1.34"}, {"public control plane", "from 0.0.0.0/0"}),
        ({"kubernetesVersion": "1.34", "apiServerAccessProfile": {"enablePrivateCluster": True}}, set()),
    ],
)
def test_ways_in_are_read_from_a_resources_properties(properties: dict[str, Any], ways: set[str]) -> None:
    assert set(ways_in(properties)) == ways


def test_an_endpoint_that_was_left_public_is_seen() -> None:
    after = {ACCOUNT: CLOSED, f"{ACCOUNT}-20261128095930": frozenset({"public network access"})}
    assert opened({ACCOUNT: CLOSED}, after) == [f"{ACCOUNT}-20261128095930 is open: public network access"]


def test_a_copy_may_be_reached_as_its_original() -> None:
    before = {ACCOUNT: frozenset({"from 192.0.2.1"})}
    after = {**before, f"{ACCOUNT}-20261128095930": frozenset({"from 192.0.2.1"})}
    assert opened(before, after) == []


def test_what_was_not_there_may_not_be_open() -> None:
    assert opened({}, {ACCOUNT: frozenset({"with a key"})}) == [f"{ACCOUNT} is open: with a key"]


def test_what_was_closed_meanwhile_is_fine() -> None:
    assert opened({ACCOUNT: frozenset({"with a key"})}, {ACCOUNT: CLOSED}) == []


def test_a_stamp_is_held_to_its_original() -> None:
    original = without_address(
        {
            "Microsoft.Sql/servers sql-agents-dev": frozenset({"from 10.1.1.1 to 10.1.1.1"}),
            "Microsoft.Storage/storageAccounts stagentsdev": frozenset({"public network access"}),
        },
        "10.1.1.1",
    )
    own = without_address(
        {
            "Microsoft.Sql/servers sql-agents-dev-dr": frozenset({"from 10.2.2.2 to 10.2.2.2"}),
            "Microsoft.Storage/storageAccounts stagentsdevdr": frozenset({"public network access"}),
        },
        "10.2.2.2",
    )
    assert opened(original, as_of_another(own, "dev-dr", "dev")) == []
    wider = {**own, "Microsoft.Sql/servers sql-agents-dev-dr": frozenset({"from 10.2.2.2 to 10.2.2.20"})}
    assert opened(original, as_of_another(without_address(wider, "10.2.2.2"), "dev-dr", "dev")) == [
        "Microsoft.Sql/servers sql-agents-dev is open: from its own cluster to 10.2.2.20"
    ]
    assert len(opened(original, own)) == 2, "what has no original is open with every way in"
