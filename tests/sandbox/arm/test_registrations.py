"""Resource providers: listed, registered, and refused where they are not."""

from __future__ import annotations

from tests.sandbox.clouds import SUBSCRIPTION, THING, Client

PROVIDER = f"{SUBSCRIPTION}/providers/Microsoft.Test"
BODY = {"location": "westeurope"}


async def test_what_is_unregistered_takes_no_new_resources_until_it_is_registered(
    arm: Client, group: str
) -> None:
    assert (await arm.get(PROVIDER))["registrationState"] == "Registered"
    done = await arm.ask("POST", f"{PROVIDER}/unregister")
    assert done.json()["registrationState"] == "Unregistered"
    refused = await arm.ask("PUT", THING, BODY)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (409, "MissingSubscriptionRegistration")
    assert error["details"][0]["target"] == "Microsoft.Test"
    # Which provider, the Azure CLI reads there, to register it by itself.
    await arm.ask("POST", f"{PROVIDER}/register")
    await arm.put(THING, BODY)


async def test_a_provider_with_resources_and_one_that_needs_no_registration_stay(
    arm: Client, group: str
) -> None:
    await arm.put(THING, BODY)
    assert await arm.refused("POST", f"{PROVIDER}/unregister") == (409, "Conflict")
    resources = f"{SUBSCRIPTION}/providers/Microsoft.Resources"
    assert await arm.refused("POST", f"{resources}/unregister") == (409, "Conflict")
    assert (await arm.get(resources))["registrationPolicy"] == "RegistrationFree"


async def test_registering_needs_a_role(arm: Client) -> None:
    stranger = arm.other("stranger")
    for verb in ("register", "unregister"):
        assert await stranger.refused("POST", f"{PROVIDER}/{verb}") == (403, "AuthorizationFailed")


async def test_providers_behind_aks_are_listed_though_they_store_nothing(arm: Client) -> None:
    listed = {one["namespace"] for one in (await arm.get(f"{SUBSCRIPTION}/providers"))["value"]}
    assert {"Microsoft.Test", "Microsoft.Compute", "Microsoft.PolicyInsights"} <= listed
    compute = await arm.get(f"{SUBSCRIPTION}/providers/microsoft.compute")
    assert {one["resourceType"] for one in compute["resourceTypes"]} == {"locations/usages", "skus"}


async def test_an_unknown_subscription_has_none(arm: Client) -> None:
    path = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Test"
    status, _ = await arm.refused("GET", path)
    assert status == 404
