"""What can be restored, as the management client lists it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.cosmosdb import models

from tests.conformance.modelled import unmodelled
from tests.sandbox.azure.documentdb.clouds import GROUP, running
from tests.sandbox.azure.documentdb.estate import Estate, moment


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    with running() as cloud:
        found = Estate(cloud)
        found.account("cosmos-one")
        found.database("cosmos-one")
        found.container("cosmos-one")
        yield found


def test_an_account_says_how_far_back_it_reaches(estate: Estate) -> None:
    account = estate.cosmos.database_accounts.get(GROUP, "cosmos-one")
    found = estate.cosmos.restorable_database_accounts.get_by_location("westeurope", account.instance_id)
    assert found.id == (
        f"{account.id.split('/resourceGroups')[0]}/providers/Microsoft.DocumentDB/locations/westeurope/"
        f"restorableDatabaseAccounts/{account.instance_id}"
    )
    assert (found.account_name, found.api_type, found.location) == ("cosmos-one", "Sql", "West Europe")
    assert found.oldest_restorable_time == found.creation_time
    assert found.deletion_time is None
    (place,) = found.restorable_locations
    assert (place.location_name, place.creation_time) == ("West Europe", found.creation_time)
    assert uuid.UUID(place.regional_database_account_instance_id)
    assert list(unmodelled(models.RestorableDatabaseAccountGetResult, found.as_dict())) == []
    accounts = estate.cosmos.restorable_database_accounts
    assert [one.name for one in accounts.list_by_location("West Europe")] == [found.name]
    assert list(accounts.list_by_location("northeurope")) == []
    for location, instance in (("northeurope", found.name), ("westeurope", str(uuid.uuid4()))):
        with pytest.raises(ResourceNotFoundError):
            accounts.get_by_location(location, instance)


def _events(estate: Estate, listing: Any, name: str, **query: Any) -> list[tuple[str, str]]:
    instance = estate.restorable(name).name
    found = [one.resource for one in listing.list("westeurope", instance, **query)]
    assert [one.event_timestamp for one in found] == sorted(one.event_timestamp for one in found)
    return [(one.owner_id, one.operation_type) for one in found]


def test_what_happened_to_databases_and_containers(estate: Estate) -> None:
    estate.account("cosmos-events")
    estate.database("cosmos-events")
    estate.database("cosmos-events", "Other")
    estate.container("cosmos-events")
    estate.container("cosmos-events", "In", database="Other")
    before = moment()
    estate.container("cosmos-events", defaultTtl=60)
    estate.sql.begin_delete_sql_database(GROUP, "cosmos-events", "Other").result()

    databases, containers = estate.cosmos.restorable_sql_databases, estate.cosmos.restorable_sql_containers
    assert _events(estate, databases, "cosmos-events") == [
        ("AgentsDB", "Create"),
        ("Other", "Create"),
        ("Other", "Delete"),
    ]
    assert _events(estate, containers, "cosmos-events") == [
        ("Events", "Create"),
        ("In", "Create"),
        ("Events", "Replace"),
        ("In", "Delete"),
    ]
    rid = estate.sql.get_sql_database(GROUP, "cosmos-events", "AgentsDB").resource.rid
    assert _events(estate, containers, "cosmos-events", restorable_sql_database_rid=rid) == [
        ("Events", "Create"),
        ("Events", "Replace"),
    ]
    assert _events(estate, containers, "cosmos-events", start_time=before) == [
        ("Events", "Replace"),
        ("In", "Delete"),
    ]
    instance = estate.restorable("cosmos-events").name
    *_, replaced, gone = (one.resource for one in containers.list("westeurope", instance))
    live = estate.sql.get_sql_container(GROUP, "cosmos-events", "AgentsDB", "Events").resource
    assert (replaced.container.default_ttl, replaced.owner_resource_id) == (60, live.rid)
    assert gone.container is None
    stamp = datetime.fromisoformat(gone.event_timestamp)
    assert abs(datetime.now(UTC) - stamp) < timedelta(minutes=1)


def test_what_there_was_at_a_moment(estate: Estate) -> None:
    estate.account("cosmos-there")
    empty = moment()
    estate.database("cosmos-there")
    estate.container("cosmos-there")
    at = moment()
    estate.sql.begin_delete_sql_container(GROUP, "cosmos-there", "AgentsDB", "Events").result()
    instance = estate.restorable("cosmos-there").name

    def there(when: str | None, location: str = "westeurope") -> list[tuple[str, list[str]]]:
        found = estate.cosmos.restorable_sql_resources.list(
            "westeurope", instance, restore_location=location, restore_timestamp_in_utc=when
        )
        return [(one.database_name, one.collection_names) for one in found]

    assert there(empty) == []
    assert there(at) == [("AgentsDB", ["Events"])]
    assert there(None) == [("AgentsDB", [])]
    assert there(at, "northeurope") == []
    with pytest.raises(HttpResponseError, match="not a timestamp"):
        there("yesterday")


def test_up_to_when_a_container_is_backed_up(estate: Estate) -> None:
    def latest(location: str) -> datetime:
        where = (GROUP, "cosmos-one", "AgentsDB", "Events", {"location": location})
        found = estate.sql.begin_retrieve_continuous_backup_information(*where).result()
        text = found.continuous_backup_information.latest_restorable_timestamp
        return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)

    assert abs(datetime.now(UTC) - latest("West Europe")) < timedelta(seconds=30)
    with pytest.raises(HttpResponseError, match="not in the location"):
        latest("northeurope")
