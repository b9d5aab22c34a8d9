"""Restores that cannot be done are refused before anything is made, with what would do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from sandbox.arm.errors import ArmError
from sandbox.azure.documentdb import naming
from sandbox.azure.documentdb.accounts import AccountHandler
from sandbox.config import SUBSCRIPTION_ID
from tests.sandbox.azure.documentdb.clouds import GROUP, running
from tests.sandbox.azure.documentdb.conftest import Cosmos
from tests.sandbox.azure.documentdb.estate import Estate, moment

PLACE = f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.DocumentDB/locations/westeurope"
NOBODY = "cosmos-none"


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    with running() as cloud:
        found = Estate(cloud)
        found.account("cosmos-source")
        found.database("cosmos-source")
        found.container("cosmos-source")
        yield found


def refused(estate: Estate, body: dict[str, Any], words: str, name: str = NOBODY) -> HttpResponseError:
    """The refusal, after which nothing of that name is there, nor a file of its data."""
    with pytest.raises(HttpResponseError, match=words) as raised:
        estate.cosmos.database_accounts.begin_create_or_update(GROUP, name, body).result()
    if name == NOBODY:
        with pytest.raises(ResourceNotFoundError):
            estate.cosmos.database_accounts.get(GROUP, NOBODY)
    assert raised.value.error is not None
    return raised.value


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2020-01-01T00:00:00Z", "outside the window.*can be restored from"),
        ("2999-01-01T00:00:00Z", "lies in the future.*can be restored from"),
        ("yesterday", "not a timestamp"),
        ("2026-13-01T00:00:00Z", "not a timestamp"),
        ("2026-01-31", "not a timestamp"),
        ("", "not a timestamp"),
    ],
)
def test_a_moment_that_is_none(estate: Estate, at: str, words: str) -> None:
    error = refused(estate, estate.request(estate.restorable("cosmos-source"), at), words)
    assert (error.status_code, error.error.code) == (400, "BadRequest")
    assert error.error.target == "properties.restoreParameters.restoreTimestampInUtc"


def test_the_edges_of_the_window(estate: Estate) -> None:
    source = estate.restorable("cosmos-source")
    oldest = source.oldest_restorable_time
    before = (oldest - timedelta(microseconds=1)).isoformat()
    refused(estate, estate.request(source, before), "outside the window")
    made = estate.restore("cosmos-edge", source, oldest.isoformat())
    assert made.provisioning_state == "Succeeded"
    # Offsets are understood: the same moment, told in another zone.
    zoned = oldest.isoformat().replace("+00:00", "Z")
    assert zoned.endswith("Z")
    estate.restore("cosmos-edge-z", source, zoned)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("cosmos-source", "Failed to parse uri"),
        (f"{PLACE}/restorableDatabaseAccounts/{uuid.uuid4()}", "no restorable database account"),
        (
            f"{PLACE.replace(SUBSCRIPTION_ID, str(uuid.uuid4()))}/restorableDatabaseAccounts/{uuid.uuid4()}",
            "no restorable database account|AuthorizationFailed",
        ),
    ],
    ids=["no id", "unknown", "of another subscription"],
)
def test_a_source_that_is_none(estate: Estate, source: str, words: str) -> None:
    assert refused(estate, estate.request(source, moment()), words).status_code in (400, 403)


def test_a_source_without_continuous_backup(estate: Estate) -> None:
    made = estate.account("cosmos-hourly", backupPolicy={"type": "Periodic"})
    source = f"{PLACE}/restorableDatabaseAccounts/{made.instance_id}"
    refused(estate, estate.request(source, moment()), "periodic backup")
    listed = [one.account_name for one in estate.cosmos.restorable_database_accounts.list()]
    assert "cosmos-hourly" not in listed
    assert "cosmos-source" in listed
    # It can be restored from the moment it changes, not before.
    before = moment()
    estate.account("cosmos-hourly")
    found = estate.restorable("cosmos-hourly")
    refused(estate, estate.request(found, before), "outside the window")
    estate.restore("cosmos-hourly-r", found, moment())


def test_a_region_without_the_account(estate: Estate) -> None:
    source = estate.restorable("cosmos-source")
    elsewhere = estate.request(
        source, moment(), locations=[{"locationName": "northeurope", "failoverPriority": 0}]
    )
    refused(estate, elsewhere, "cannot be restored in 'northeurope'.*westeurope then")
    wrong = source.id.replace("/westeurope/", "/northeurope/")
    refused(estate, estate.request(wrong, moment()) | {"location": "northeurope"}, "Cannot find regional")
    refused(estate, estate.request(source, moment()) | {"location": "northeurope"}, "not that of the restore")


def test_a_region_that_came_later(estate: Estate) -> None:
    estate.account("cosmos-wide")
    before = moment()
    both = [
        {"locationName": "westeurope", "failoverPriority": 0},
        {"locationName": "northeurope", "failoverPriority": 1},
    ]
    estate.account("cosmos-wide", locations=both)
    source = estate.restorable("cosmos-wide")
    north = [{"locationName": "northeurope", "failoverPriority": 0}]
    refused(estate, estate.request(source, before, locations=north), "cannot be restored in 'northeurope'")
    estate.restore("cosmos-wide-r", source, moment(), locations=north)
    places = {place.location_name: place for place in source.restorable_locations}
    assert sorted(places) == ["North Europe", "West Europe"]
    assert places["North Europe"].creation_time > places["West Europe"].creation_time


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ([{"databaseName": "Nothing"}], "no database 'Nothing'"),
        ([{"databaseName": "AgentsDB", "collectionNames": ["Events", "Nothing"]}], "no container 'Nothing'"),
        ([{"databaseName": "AgentsDB"}, {"databaseName": "AgentsDB"}], "more than once"),
    ],
)
def test_databases_that_were_not_there(estate: Estate, wanted: list[dict[str, Any]], words: str) -> None:
    source = estate.restorable("cosmos-source")
    refused(estate, estate.request(source, moment(), databasesToRestore=wanted), words)


def test_a_name_that_is_taken(estate: Estate) -> None:
    source = estate.restorable("cosmos-source")
    error = refused(estate, estate.request(source, moment()), "already in use", "cosmos-source")
    assert (error.status_code, error.error.code) == (409, "DatabaseAccountAlreadyExists")
    assert estate.cosmos.database_accounts.get(GROUP, "cosmos-source").create_mode == "Default"


def test_requests_that_contradict_themselves(estate: Estate) -> None:
    source = estate.restorable("cosmos-source")
    both = [
        {"locationName": "westeurope", "failoverPriority": 0},
        {"locationName": "northeurope", "failoverPriority": 1},
    ]
    for changes, words in (
        ({"createMode": "Default"}, "need the createMode Restore"),
        ({"restoreParameters": None}, "needs restoreParameters"),
        ({"backupPolicy": {"type": "Periodic"}}, "has continuous backup"),
        ({"locations": both}, "into one region"),
    ):
        refused(estate, estate.request(source, moment(), **changes), words)


def test_restoring_needs_its_own_permission(fresh: Cosmos) -> None:
    """On the source: who may make accounts may not yet read what others wrote."""
    account = next(iter(fresh.world.store.list(type=naming.ACCOUNT)))
    source = f"{PLACE}/restorableDatabaseAccounts/{account.properties['instanceId']}"
    properties = {
        "databaseAccountOfferType": "Standard",
        "locations": [{"locationName": "westeurope", "failoverPriority": 0}],
        "createMode": "Restore",
        "restoreParameters": {"restoreSource": source, "restoreTimestampInUtc": moment()},
    }
    body = {"location": "westeurope", "properties": properties}
    path = f"{naming.ACCOUNT}/cosmos-restored"
    with pytest.raises(ArmError, match="AuthorizationFailed"):
        fresh.put(AccountHandler, path, body)
    assert fresh.world.store.get(f"{account.id.scope}/providers/{path}") is None
    action = f"{naming.RESTORABLE}/restore/action"
    fresh.world.rbac.grant("owner", action, scope=source, data=False)
    assert fresh.put(AccountHandler, path, body).properties["createMode"] == "Restore"
