"""Accounts in two regions: what a failover loses, and what can be changed of an account meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.cosmos import ContainerProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from sandbox.arm.resource import Resource
from sandbox.azure.dataplane import find
from sandbox.azure.documentdb import naming, unreplicated
from sandbox.azure.documentdb.accounts import AccountHandler
from sandbox.azure.documentdb.databases import databases
from tests.sandbox.azure.documentdb import clouds
from tests.sandbox.azure.documentdb.clouds import GROUP, body
from tests.sandbox.azure.documentdb.estate import CONTINUOUS, Estate, contents, moment, until
from tests.sandbox.served import Served

pytestmark = pytest.mark.slow

WEST, NORTH, SWEDEN = "westeurope", "northeurope", "swedencentral"
#: Seconds that the second region is behind.
LAG = 2.0
STILL: dict[str, Any] = {"enableAutomaticFailover": False}


def places(*regions: str) -> list[dict[str, Any]]:
    return [
        {"locationName": region, "failoverPriority": number, "isZoneRedundant": False}
        for number, region in enumerate(regions)
    ]


class Pairs:
    """Accounts in West and North Europe."""

    def __init__(self, cloud: Served) -> None:
        self.cloud, self.estate = cloud, Estate(cloud)
        self.accounts: Any = self.estate.cosmos.database_accounts

    def make(self, name: str, **properties: Any) -> ContainerProxy:
        return self.estate.filled(name, **{**pair(), **properties})

    def put(self, name: str, **properties: Any) -> None:
        """As a program does that knows nothing of failovers, but for what is given."""
        sent = body(disableLocalAuth=True, backupPolicy=CONTINUOUS, **{**pair(), **properties})
        self.accounts.begin_create_or_update(GROUP, name, sent).result()

    def order(self, name: str) -> list[str]:
        """The account's regions; the first is where it is written."""
        found = self.accounts.get(GROUP, name)
        order = [place.location_name for place in found.failover_policies]
        assert [place.location_name for place in found.write_locations] == order[:1]
        assert [place.location_name for place in found.locations] == order
        return order

    def change(self, name: str, *regions: str) -> None:
        policies = [
            {one: place[one] for one in ("locationName", "failoverPriority")} for place in places(*regions)
        ]
        self.accounts.begin_failover_priority_change(GROUP, name, {"failoverPolicies": policies}).result()

    def begin(self, region: str = WEST) -> None:
        self.cloud.command("outage begin", region=region)

    def end(self, region: str = WEST) -> None:
        self.cloud.command("outage end", region=region)

    def lag(self, seconds: float, name: str = "*") -> None:
        given = {"target": "replication", "service": "cosmos", "name": name, "seconds": seconds}
        self.cloud.command("fault delay", **given)


def pair() -> dict[str, Any]:
    return {"locations": places(WEST, NORTH), "enableAutomaticFailover": True}


@pytest.fixture(scope="module")
def shared() -> Iterator[Served]:
    with clouds.running() as found:
        yield found


@pytest.fixture
def pairs(shared: Served) -> Iterator[Pairs]:
    """No region is down and nothing is late before and after a test."""
    yield Pairs(shared)
    for one in shared.command("outage list"):
        shared.command("outage end", region=one["region"])
    shared.command("fault clear")


def put(container: ContainerProxy, name: str, **more: Any) -> float:
    """When it was acknowledged."""
    container.upsert_item({"id": name, "agent": "a", **more})
    return time.time()


def queried(container: ContainerProxy) -> list[str]:
    return sorted(container.query_items("SELECT VALUE c.id FROM c", partition_key="a"))  # type: ignore[type-var]


def test_a_forced_failover_loses_what_the_lag_held_back(pairs: Pairs) -> None:
    """By the service or by hand; where every region had acknowledged it, nothing is lost."""
    pairs.lag(LAG)
    containers = {
        "cosmos-managed": pairs.make("cosmos-managed"),
        "cosmos-manual": pairs.make("cosmos-manual", **STILL),
        "cosmos-strong": pairs.make("cosmos-strong", consistencyPolicy={"defaultConsistencyLevel": "Strong"}),
    }
    for container in containers.values():
        arrived = put(container, "old", n=1)
        assert queried(container) == ["old"]
    until(lambda: time.time() > arrived + LAG)
    for container in containers.values():
        put(container, "new", n=2)
        put(container, "old", n=2)
        assert queried(container) == ["new", "old"]
    late = moment()
    pairs.begin()
    pairs.accounts.begin_offline_region(GROUP, "cosmos-manual", {"region": "West Europe"}).result()
    left = {"cosmos-managed": {"old": 1}, "cosmos-manual": {"old": 1}, "cosmos-strong": {"old": 2, "new": 2}}
    for name, documents in left.items():
        assert pairs.order(name) == [NORTH, WEST]
        container = pairs.estate.open(name)
        assert {id_: one["n"] for id_, one in contents(container).items()} == documents
        assert queried(container) == sorted(documents)

    # Back by plan, once both regions are there: whatever the lag, nothing is lost.
    container = pairs.estate.open("cosmos-managed")
    put(container, "after")
    with pytest.raises(HttpResponseError, match="experiencing an outage"):
        pairs.change("cosmos-managed", WEST, NORTH)
    pairs.end()
    assert pairs.order("cosmos-managed") == [NORTH, WEST], "nothing fails back by itself"
    put(container, "last")
    pairs.change("cosmos-managed", WEST, NORTH)
    assert queried(pairs.estate.open("cosmos-managed")) == ["after", "last", "old"]

    # A moment at which it was not lost yet brings none of it back.
    pairs.estate.restore("cosmos-restored", pairs.estate.restorable("cosmos-managed"), late)
    restored = contents(pairs.estate.events("cosmos-restored"))
    assert {id_: one["n"] for id_, one in restored.items()} == {"old": 1}


@pytest.mark.parametrize(
    ("policy", "seconds"),
    [
        ({"defaultConsistencyLevel": "Session", "maxIntervalInSeconds": 5}, 600),
        ({"defaultConsistencyLevel": "Eventual", "maxIntervalInSeconds": 5}, 600),
        ({"defaultConsistencyLevel": "BoundedStaleness", "maxIntervalInSeconds": 300}, 300),
        ({"defaultConsistencyLevel": "Strong", "maxIntervalInSeconds": 5}, 0),
    ],
    ids=["session", "eventual", "bounded", "strong"],
)
def test_consistency_bounds_what_can_be_lost(
    pairs: Pairs, account: str, policy: dict[str, Any], seconds: float
) -> None:
    pairs.lag(600)
    found = find(pairs.cloud.cloud.services.store, naming.ACCOUNT, account)
    assert found is not None
    found.properties["consistencyPolicy"] = policy
    assert unreplicated.delay(pairs.cloud.cloud.services, found) == seconds


def test_a_region_that_joins_has_everything(pairs: Pairs) -> None:
    """Also what was written less than the lag before."""
    pairs.lag(600)
    container = pairs.make("cosmos-grown", locations=places(WEST))
    put(container, "before")
    pairs.put("cosmos-grown")
    put(container, "after")
    pairs.begin()
    assert queried(pairs.estate.open("cosmos-grown")) == ["before"]


def test_a_kill_in_the_middle_of_a_failover_loses_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lost is gone, and the account not moved yet: the next start moves it, and loses no more."""
    with clouds.folder() as state:
        with clouds.on(state) as cloud:
            pairs = Pairs(cloud)
            pairs.lag(LAG)
            container = pairs.make("cosmos-killed")
            arrived = put(container, "old")
            until(lambda: time.time() > arrived + LAG)
            put(container, "new")

            def killed(_handler: AccountHandler, _account: Resource) -> None:
                raise RuntimeError("killed")

            with monkeypatch.context() as patch:
                patch.setattr(AccountHandler, "_save", killed)
                pairs.begin()
            assert pairs.order("cosmos-killed") == [WEST, NORTH]
        with clouds.on(state) as cloud:
            pairs = Pairs(cloud)
            assert pairs.cloud.command("fault list")[0]["seconds"] == LAG
            until(lambda: pairs.order("cosmos-killed") == [NORTH, WEST])
            assert queried(pairs.estate.open("cosmos-killed")) == ["old"]


def test_a_write_that_comes_too_late_is_not_done(pairs: Pairs) -> None:
    """It was let in before its region was lost; done afterwards, it would outlive what came before it."""
    container = pairs.make("cosmos-late", **STILL)
    services = pairs.cloud.cloud.services
    account = find(services.store, naming.ACCOUNT, "cosmos-late")
    assert account is not None
    data, free = databases(services.config).of(account), threading.Event()
    asyncio.run_coroutine_threadsafe(data.run(lambda _journal: free.wait(20)), pairs.cloud.loop)
    with ThreadPoolExecutor() as threads:
        batch = [("create", ({"id": "2", "agent": "a"},))]
        writes = [
            threads.submit(container.create_item, {"id": "1", "agent": "a"}, read_timeout=1),
            threads.submit(container.execute_item_batch, batch, "a", read_timeout=1),
        ]
        until(lambda: data._thread._work_queue.qsize() == len(writes))
        pairs.begin()
        free.set()
        for write in writes:
            with pytest.raises((CosmosHttpResponseError, ServiceRequestError, ServiceResponseError)):
                write.result()
    pairs.end()
    assert queried(container) == []


def test_an_update_leaves_the_order_of_the_regions_alone(pairs: Pairs) -> None:
    pairs.make("cosmos-order")
    pairs.begin()
    # Written in North Europe, it is changed there.
    pairs.put("cosmos-order", locations=places(NORTH, WEST), publicNetworkAccess="Disabled")
    assert pairs.accounts.get(GROUP, "cosmos-order").public_network_access == "Disabled"
    for _ in range(2):  # during the outage, and afterwards
        with pytest.raises(HttpResponseError, match="cannot change the failover priorities"):
            pairs.put("cosmos-order", publicNetworkAccess="Disabled")
        if pairs.cloud.command("outage list"):
            pairs.end()
    assert pairs.order("cosmos-order") == [NORTH, WEST]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"locations": places(NORTH)}, "The write region 'westeurope' cannot be removed"),
        (
            {"locations": places(WEST, NORTH, SWEDEN), "minimalTlsVersion": "Tls11"},
            "together with a change of other properties",
        ),
        ({"locations": places(SWEDEN, WEST, NORTH)}, "cannot change the failover priorities"),
    ],
    ids=["write-region", "with-another-property", "new-write-region"],
)
def test_what_an_update_cannot_make_of_the_regions(
    pairs: Pairs, account: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(HttpResponseError, match=message) as refused:
        pairs.put(account, **STILL, **changes)
    assert refused.value.status_code == 400
    assert pairs.order(account) == [WEST, NORTH]


@pytest.fixture(scope="module")
def account(shared: Served) -> str:
    """Which no outage moves."""
    Estate(shared).account("cosmos-plain", **{**pair(), **STILL})
    return "cosmos-plain"


def test_regions_come_and_go_by_themselves(pairs: Pairs, account: str) -> None:
    pairs.begin(SWEDEN)
    with pytest.raises(HttpResponseError, match="'swedencentral' is experiencing an outage"):
        pairs.put(account, **STILL, locations=places(WEST, NORTH, SWEDEN))
    pairs.end(SWEDEN)
    pairs.put(account, **STILL, locations=places(WEST, NORTH, SWEDEN))
    # Priorities need not follow each other, and regions may be named as people name them.
    policies = [
        {"locationName": "Sweden Central", "failoverPriority": 3},
        {"locationName": "North Europe", "failoverPriority": 8},
        {"locationName": "West Europe", "failoverPriority": 0},
    ]
    pairs.accounts.begin_failover_priority_change(GROUP, account, {"failoverPolicies": policies}).result()
    assert pairs.order(account) == [WEST, SWEDEN, NORTH]
    pairs.put(account, **STILL, locations=places(WEST, NORTH))
    assert pairs.order(account) == [WEST, NORTH]


def test_backups_that_are_behind_bound_what_can_be_restored(pairs: Pairs, account: str) -> None:
    given = {"target": "backups", "service": "cosmos", "name": account, "seconds": 600}
    pairs.cloud.command("fault delay", **given)
    source = pairs.estate.restorable(account)
    with pytest.raises(
        HttpResponseError, match="is not backed up yet: the account 'cosmos-plain' can be restored"
    ):
        pairs.estate.restore("cosmos-too-new", source, moment())
