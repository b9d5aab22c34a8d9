"""PUT, PATCH, GET, HEAD, DELETE and lists of resources in groups, as ARM answers them."""

from __future__ import annotations

import pytest

from tests.sandbox.arm.handlers import Gate
from tests.sandbox.clouds import GROUP, SUBSCRIPTION, THING, Client

BODY = {"location": "westeurope", "tags": {"a": "1"}, "properties": {"size": 3}}


async def test_put_answers_what_a_get_shows(arm: Client, group: str) -> None:
    made = await arm.put(THING, BODY)
    assert made.status_code == 201
    body = made.json()
    assert body["id"] == THING
    assert (body["name"], body["type"], body["location"]) == ("one", "Microsoft.Test/things", "westeurope")
    assert body["properties"] == {"size": 3, "count": 1, "provisioningState": "Succeeded"}
    assert await arm.get(THING) == body
    again = await arm.put(THING, BODY)
    assert again.status_code == 200
    assert again.json()["properties"]["count"] == 2


async def test_ids_are_compared_without_case_and_keep_their_spelling(arm: Client, group: str) -> None:
    made = await arm.put(THING.replace("Microsoft.Test/things", "microsoft.test/THINGS"), BODY)
    assert made.json()["id"] == THING
    assert (await arm.get(THING.upper().replace("/SUBSCRIPTIONS", "/subscriptions")))["id"] == THING
    assert (await arm.ask("PUT", THING.replace("/one", "/ONE"), BODY)).status_code == 200
    assert len((await arm.get(f"{GROUP}/providers/Microsoft.Test/things"))["value"]) == 1


async def test_patch_merges(arm: Client, group: str) -> None:
    await arm.put(THING, BODY)
    answer = await arm.ask("PATCH", THING, {"tags": {"a": None, "b": "2"}})
    assert answer.status_code == 200
    body = answer.json()
    assert body["tags"] == {"b": "2"}
    assert (body["location"], body["properties"]["size"]) == ("westeurope", 3)
    assert await arm.refused("PATCH", THING + "x", {}) == (404, "ResourceNotFound")


async def test_head_tells_whether_it_exists(arm: Client, group: str) -> None:
    assert (await arm.ask("HEAD", THING)).status_code == 404
    await arm.put(THING, BODY)
    assert (await arm.ask("HEAD", THING)).status_code == 204


async def test_delete_is_repeatable(arm: Client, group: str) -> None:
    await arm.put(THING, BODY)
    assert (await arm.ask("DELETE", THING)).status_code == 200
    assert (await arm.ask("DELETE", THING)).status_code == 204
    assert await arm.refused("GET", THING) == (404, "ResourceNotFound")


async def test_deleting_a_parent_deletes_its_children_first(arm: Client, group: str, gate: Gate) -> None:
    await arm.put(THING, BODY)
    await arm.put(f"{THING}/parts/left", {})
    assert (await arm.ask("DELETE", THING)).status_code == 200
    assert gate.log == ["delete left", "delete one"]


async def test_a_refused_delete_changes_nothing(arm: Client, group: str, gate: Gate) -> None:
    await arm.put(THING, BODY)
    before = await arm.get(THING)
    gate.refuse_deletes.add("one")
    assert await arm.refused("DELETE", THING) == (409, "InUse")
    assert await arm.get(THING) == before
    gate.refuse_deletes.clear()
    assert (await arm.ask("DELETE", THING)).status_code == 200


async def test_a_child_that_refuses_keeps_its_parent(arm: Client, group: str, gate: Gate) -> None:
    await arm.put(THING, BODY)
    await arm.put(f"{THING}/parts/left", {})
    gate.refuse_deletes.add("left")
    assert await arm.refused("DELETE", THING) == (409, "InUse")
    assert (await arm.ask("HEAD", f"{THING}/parts/left")).status_code == 204


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (THING.replace("/rg/", "/nowhere/"), "ResourceGroupNotFound"),
        (f"{THING}/parts/left", "ParentResourceNotFound"),
        (THING.replace(SUBSCRIPTION, "/subscriptions/00000000-0000-0000-0000-000000000000"), None),
    ],
)
async def test_what_something_lies_in_must_exist(
    arm: Client, group: str, path: str, code: str | None
) -> None:
    status, found = await arm.refused("PUT", path, BODY)
    # Outside its subscription the deployer has no rights, which is told before what exists.
    assert (status, found) == ((404, code) if code else (403, "AuthorizationFailed"))


async def test_places(arm: Client, group: str) -> None:
    mars = await arm.ask("PUT", THING, {**BODY, "location": "mars"})
    error = mars.json()["error"]
    assert (mars.status_code, error["code"]) == (400, "LocationNotAvailableForResourceType")
    assert "westeurope" in error["message"]
    made = await arm.put(THING, {**BODY, "location": "West Europe"})
    assert made.json()["location"] == "westeurope"
    moved = await arm.refused("PUT", THING, {**BODY, "location": "northeurope"})
    assert moved == (409, "InvalidResourceLocation")
    assert await arm.refused("PUT", GROUP, {"location": "northeurope"}) == (
        409,
        "InvalidResourceGroupLocation",
    )


async def test_handlers_may_refuse(arm: Client, group: str) -> None:
    assert await arm.refused("PUT", THING, {**BODY, "properties": {"taken": True}}) == (409, "NameTaken")
    assert (await arm.ask("HEAD", THING)).status_code == 404


async def test_etags(arm: Client, group: str) -> None:
    first = await arm.put(THING, BODY)
    etag = first.headers["etag"]
    assert first.json()["etag"] == etag
    stale = await arm.put(THING, BODY, headers={"If-Match": etag})
    assert stale.headers["etag"] != etag
    refused = await arm.refused("PUT", THING, BODY, headers={"If-Match": etag})
    assert refused == (412, "PreconditionFailed")
    assert await arm.refused("PUT", THING, BODY, headers={"If-None-Match": "*"}) == (
        412,
        "PreconditionFailed",
    )
    assert await arm.refused("DELETE", THING, headers={"If-Match": etag}) == (412, "PreconditionFailed")


async def test_lists(arm: Client, group: str) -> None:
    other = f"{SUBSCRIPTION}/resourceGroups/rg2"
    await arm.put(other, {"location": "northeurope", "tags": {"env": "dev"}})
    await arm.put(THING, BODY)
    await arm.put(f"{other}/providers/Microsoft.Test/things/two", {"location": "northeurope"})
    await arm.put(f"{THING}/parts/left", {})
    collection = "providers/Microsoft.Test/things"

    async def names(path: str, **query: str) -> list[str]:
        return [found["name"] for found in (await arm.get(path, query=query))["value"]]

    assert await names(f"{SUBSCRIPTION}/{collection}") == ["one", "two"]
    assert await names(f"{GROUP}/{collection}") == ["one"]
    assert await names(f"{THING}/parts") == ["left"]
    assert await names(f"{SUBSCRIPTION}/resourceGroups") == ["rg", "rg2"]
    tagged = {"$filter": "tagName eq 'env' and tagValue eq 'dev'"}
    assert await names(f"{SUBSCRIPTION}/resourceGroups", **tagged) == ["rg2"]
    resources = f"{SUBSCRIPTION}/resources"
    assert await names(resources) == ["one", "two"]
    assert await names(f"{GROUP}/resources") == ["one"]
    assert await names(
        resources, **{"$filter": "resourceType eq 'Microsoft.Test/things' and name ne 'one'"}
    ) == ["two"]
    assert await names(resources, **{"$filter": "location eq 'North Europe'"}) == ["two"]
    assert await names(resources, **{"$filter": "resourceGroup eq 'rg' and substringof('n', name)"}) == [
        "one"
    ]
    assert await names(resources, **{"$top": "1"}) == ["one"]
    expanded = await arm.get(resources, query={"$expand": "createdTime,changedTime,provisioningState"})
    assert expanded["value"][0]["provisioningState"] == "Succeeded"
    assert expanded["value"][0]["createdTime"].endswith("Z")
    assert "properties" not in expanded["value"][0]
    assert await arm.refused("GET", f"{GROUP}x/{collection}") == (404, "ResourceGroupNotFound")


@pytest.mark.parametrize(
    "text", ["name eq", "name is 'x'", "(name eq 'x'", "planet eq 'x'", "name eq 'x' or", "%"]
)
async def test_filters_that_cannot_be_read_are_refused(arm: Client, group: str, text: str) -> None:
    await arm.put(THING, BODY)
    answer = await arm.refused("GET", f"{SUBSCRIPTION}/resources", query={"$filter": text})
    assert answer == (400, "InvalidFilterInQueryString")


async def test_actions(arm: Client, group: str) -> None:
    await arm.put(THING, BODY)
    answer = await arm.ask("POST", f"{THING}/LISTKEYS", {"more": 1})
    assert answer.json() == {"keys": ["one", 1]}
    assert await arm.refused("POST", f"{THING}/explode") == (404, "InvalidResourceAction")
    assert await arm.refused("POST", f"{THING}x/listKeys") == (404, "ResourceNotFound")


async def test_operations_of_providers(arm: Client) -> None:
    path = f"{SUBSCRIPTION}/providers/microsoft.test/checkname"
    assert (await arm.ask("POST", path, {"name": "one"})).json() == {"available": False}
    log = await arm.get(f"{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values")
    assert log["value"][0]["operationName"]["value"] == "Microsoft.Test/checkName/action"


async def test_singletons_exist_with_their_parent(arm: Client, group: str) -> None:
    await arm.put(THING, BODY)
    default = f"{THING}/defaults/default"
    assert (await arm.get(default))["properties"]["days"] == 7
    await arm.put(default, {"properties": {"days": 9}})
    await arm.put(THING, BODY)
    assert (await arm.get(default))["properties"]["days"] == 9
    assert (await arm.ask("DELETE", default)).status_code == 200
    assert (await arm.get(default))["properties"]["days"] == 7
    await arm.ask("DELETE", THING)
    assert (await arm.ask("HEAD", default)).status_code == 404


async def test_a_singleton_may_have_another_name_than_default(arm: Client, group: str) -> None:
    await arm.put(THING, BODY)
    assert (await arm.get(f"{THING}/modes/current"))["properties"]["on"] is True
    assert (await arm.ask("HEAD", f"{THING}/modes/default")).status_code == 404


async def test_locks(arm: Client, group: str) -> None:
    await arm.put(THING, BODY)
    lock = f"{GROUP}/providers/Microsoft.Authorization/locks/keep"
    await arm.put(lock, {"properties": {"level": "CanNotDelete"}})
    assert await arm.refused("DELETE", THING) == (409, "ScopeLocked")
    await arm.put(THING, BODY)
    await arm.put(lock, {"properties": {"level": "ReadOnly"}})
    assert await arm.refused("PUT", THING, BODY) == (409, "ScopeLocked")
    assert await arm.refused("POST", f"{THING}/listKeys") == (409, "ScopeLocked")
    assert (await arm.ask("DELETE", lock)).status_code == 200
    assert (await arm.ask("DELETE", THING)).status_code == 200
    await arm.put(THING, BODY)
    await arm.put(
        f"{THING}/providers/Microsoft.Authorization/locks/deep", {"properties": {"level": "CanNotDelete"}}
    )
    assert await arm.refused("DELETE", GROUP) == (409, "ScopeLocked")
