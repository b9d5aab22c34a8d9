"""Deployments on the real core: order, failures, rights, repetition, and the kill of the process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.arm.handlers import Gate
from tests.sandbox.azure.deployments.conftest import Hesitant, cloud
from tests.sandbox.azure.deployments.templates import asked, slow, template, thing
from tests.sandbox.clouds import GROUP, SUBSCRIPTION, Client

MAIN = f"{GROUP}/providers/Microsoft.Resources/deployments/main"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"

_KILLED = """
import asyncio, sys
from pathlib import Path
from tests.sandbox.arm.handlers import Gate
from tests.sandbox.azure.deployments.conftest import cloud
from tests.sandbox.azure.deployments.templates import asked, slow, template, thing
from tests.sandbox.clouds import GROUP

async def main():
    Gate.current = Gate()
    async with cloud(Path(sys.argv[1])) as arm:
        await arm.put(GROUP, {"location": "westeurope"})
        second = slow("second", dependsOn=["first"])
        made = template(thing("first"), second, thing("third", dependsOn=["second"]))
        path = GROUP + "/providers/Microsoft.Resources/deployments/main"
        await arm.put(path, asked(made))
        while not Gate.current.log:
            await asyncio.sleep(0.01)
        print("under way", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def at(name: str, kind: str = "things") -> str:
    return f"{GROUP}/providers/Microsoft.Test/{kind}/{name}"


async def until(client: Client, state: str, path: str = MAIN) -> dict[str, Any]:
    """The properties of a deployment, once it is in a state."""
    for _ in range(500):
        found = (await client.get(path))["properties"]
        if found["provisioningState"] == state:
            return dict(found)
        await asyncio.sleep(0.02)
    raise AssertionError(found)


async def deploy(client: Client, body: dict[str, Any], state: str = "Succeeded") -> dict[str, Any]:
    await client.put(MAIN, body)
    return await until(client, state)


async def targets(client: Client) -> dict[str, str]:
    """What each resource of the deployment came to, by name."""
    found = (await client.get(f"{MAIN}/operations"))["value"]
    return {
        one["properties"]["targetResource"]["resourceName"]: one["properties"]["provisioningState"]
        for one in found
    }


async def test_what_is_deployed_is_there(arm: Client) -> None:
    part = {"type": "parts", "apiVersion": "2024-01-01", "name": "p", "dependsOn": ["a"]}
    made = template(
        thing("a", location="[resourceGroup().location]", tags={"t": "[parameters('t')]"}, resources=[part]),
        thing("b", properties={"x": "[reference('a').count]"}),
        parameters={"t": {"type": "string"}},
        outputs={
            "id": {"type": "string", "value": "[resourceId('Microsoft.Test/things', 'a')]"},
            "count": {"type": "int", "value": "[reference('a').count]"},
            "place": {"type": "string", "value": "[reference('a', '2024-01-01', 'Full').location]"},
            "hidden": {"type": "securestring", "value": "hush"},
        },
    )
    found = await deploy(arm, asked(made, t="1"))
    assert [one["id"] for one in found["outputResources"]] == [at("a"), f"{at('a')}/parts/p", at("b")]
    assert found["outputs"] == {
        "id": {"type": "String", "value": at("a")},
        "count": {"type": "Int", "value": 1},
        "place": {"type": "String", "value": "westeurope"},
        "hidden": {"type": "SecureString"},
    }
    assert (await arm.get(at("a")))["tags"] == {"t": "1"}
    assert (await arm.get(at("b")))["properties"]["x"] == 1
    assert await targets(arm) == {"a": "Succeeded", "a/p": "Succeeded", "b": "Succeeded"}
    assert found["duration"].startswith("PT")
    assert found["templateHash"].isdigit()
    assert found["mode"] == "Incremental"


async def test_the_order_is_that_of_the_dependencies(arm: Client, gate: Gate) -> None:
    made = template(
        thing("last", dependsOn=["one", "two"]), slow("one"), slow("two"), slow("three", dependsOn=["two"])
    )
    await arm.put(MAIN, asked(made))
    await begun(gate, 2)
    assert sorted(gate.log) == ["provision one", "provision two"]  # side by side
    assert (await arm.ask("GET", at("last"))).status_code == 404
    assert (await until(arm, "Running"))["mode"] == "Incremental"
    gate.open.set()
    await until(arm, "Succeeded")
    assert gate.log[2:] == ["provision three"]


async def test_one_that_is_running_is_neither_changed_nor_deleted(arm: Client, gate: Gate) -> None:
    await arm.put(MAIN, asked(template(slow("one"))))
    assert await arm.refused("PUT", MAIN, asked(template())) == (409, "AnotherOperationInProgress")
    assert await arm.refused("DELETE", MAIN) == (409, "DeploymentActive")
    assert (await arm.refused("PATCH", MAIN, {}))[0] == 405
    gate.open.set()
    await until(arm, "Succeeded")


async def test_a_failure_names_each_resource_and_what_was_made_stays(arm: Client, gate: Gate) -> None:
    gate.open.set()
    made = template(
        thing("good"),
        thing("bad", properties={"taken": True}),
        slow("late", properties={"fails": True}),
        thing("never", dependsOn=["bad"]),
        thing("other", dependsOn=["good"]),
    )
    answer = await arm.put(MAIN, asked(made))
    found = await until(arm, "Failed")
    error = found["error"]
    assert (error["code"], error["target"]) == ("DeploymentFailed", MAIN)
    details = {one["target"]: one for one in error["details"]}
    assert details.keys() == {at("bad"), at("late", "slow")}
    assert (details[at("bad")]["code"], details[at("bad")]["message"]) == ("NameTaken", "The name is taken.")
    assert details[at("late", "slow")]["code"] == "ResourceDeploymentFailure"
    assert details[at("late", "slow")]["details"][0]["code"] == "OutOfCapacity"
    status = await arm.get(answer.headers["Azure-AsyncOperation"])
    assert (status["status"], status["error"]) == ("Failed", error)
    assert await targets(arm) == {
        "good": "Succeeded",
        "other": "Succeeded",
        "bad": "Failed",
        "late": "Failed",
    }
    assert (await arm.ask("GET", at("never"))).status_code == 404
    # Mended, the same deployment succeeds.
    made["resources"][1]["properties"] = made["resources"][2]["properties"] = {}
    assert "error" not in await deploy(arm, asked(made))


async def test_an_output_that_cannot_be_evaluated_fails_the_deployment(arm: Client) -> None:
    outputs = {"x": {"type": "string", "value": "[reference('a').nothing]"}}
    found = await deploy(arm, asked(template(thing("a"), outputs=outputs)), "Failed")
    assert found["error"]["code"] == "DeploymentOutputEvaluationFailed"
    assert "nothing" in found["error"]["details"][0]["message"]
    assert (await arm.ask("GET", at("a"))).status_code == 200


async def test_a_canceled_one_begins_nothing_more(arm: Client, gate: Gate) -> None:
    await arm.put(MAIN, asked(template(slow("one"), thing("two", dependsOn=["one"]))))
    await begun(gate, 1)
    assert (await arm.ask("POST", f"{MAIN}/cancel")).status_code == 204
    found = await until(arm, "Canceled")
    assert found["error"]["code"] == "DeploymentCanceled"
    gate.open.set()
    await until(arm, "Succeeded", at("one", "slow"))  # what was under way goes on
    assert (await arm.ask("GET", at("two"))).status_code == 404
    assert (await arm.refused("POST", f"{MAIN}/cancel"))[0] == 409
    assert "error" not in await deploy(arm, asked(template(thing("two"))))


async def test_a_request_that_was_sent_is_done_though_the_deployment_is_canceled(
    arm: Client, gate: Gate
) -> None:
    await arm.put(MAIN, asked(template({**thing("one"), "type": Hesitant.type})))
    await begun(gate, 1)
    assert (await arm.ask("POST", f"{MAIN}/cancel")).status_code == 204
    await until(arm, "Canceled")
    gate.open.set()
    await answered(arm, at("one", "hesitant"), 200)


async def test_it_goes_with_its_group(arm: Client, gate: Gate) -> None:
    await arm.put(MAIN, asked(template(slow("one"), thing("two", dependsOn=["one"]))))
    await begun(gate, 1)
    assert (await arm.ask("DELETE", GROUP)).status_code == 202
    gate.open.set()
    await answered(arm, GROUP, 404)


async def test_again_changes_nothing_and_deleting_forgets(arm: Client) -> None:
    body = asked(template(thing("a", properties={"x": 1})))
    await deploy(arm, body)
    before = (await arm.get(at("a")))["properties"]
    await deploy(arm, body)
    after = (await arm.get(at("a")))["properties"]
    assert after == {**before, "count": before["count"] + 1}  # the type counts its PUTs
    assert (await arm.ask("DELETE", MAIN)).status_code == 202
    await answered(arm, MAIN, 404)
    assert (await arm.get(at("a")))["properties"] == after


async def test_who_deploys_needs_the_rights_to_what_is_deployed(arm: Client) -> None:
    other = arm.other("deployer-of-nothing")
    body = asked(template(thing("a")))
    assert await other.refused("PUT", MAIN, body) == (403, "AuthorizationFailed")
    await assign(arm, other, NETWORK_CONTRIBUTOR)  # may deploy, but not things
    answer = await other.ask("PUT", MAIN, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (403, "InvalidTemplateDeployment")
    assert "Microsoft.Test/things/write" in error["message"]
    assert (await other.refused("POST", f"{MAIN}/validate", body))[0] == 403
    assert (await arm.ask("GET", MAIN)).status_code == 404
    await assign(arm, other, CONTRIBUTOR)
    await deploy(other, body)


async def test_rights_lost_on_the_way_stop_it(arm: Client, gate: Gate) -> None:
    """Each resource is PUT as who deploys, not as the sandbox."""
    other = arm.other("short-lived")
    granted = await assign(arm, other, CONTRIBUTOR)
    await other.put(MAIN, asked(template(slow("one"), thing("two", dependsOn=["one"]))))
    await begun(gate, 1)
    assert (await arm.ask("DELETE", granted)).status_code == 200
    gate.open.set()
    found = await until(arm, "Failed")
    assert {one["code"] for one in found["error"]["details"]} == {"AuthorizationFailed"}
    assert (await arm.ask("GET", at("two"))).status_code == 404


async def test_nothing_secret_is_shown_or_stored(arm: Client, tmp_path: Path) -> None:
    made = template(thing("a"), parameters={"key": {"type": "securestring"}})
    await deploy(arm, asked(made, key="hush-hush"))
    for path in (MAIN, f"{MAIN}/operations", f"{GROUP}/providers/Microsoft.Resources/deployments"):
        assert "hush-hush" not in (await arm.ask("GET", path)).text
    assert b"hush-hush" not in stored(tmp_path)
    exported = await arm.ask("POST", f"{MAIN}/exportTemplate")
    assert exported.json() == {"template": made}


async def test_its_requests_share_its_correlation_id(arm: Client) -> None:
    correlation = "5f1d3a52-0000-4000-8000-000000000001"
    await arm.put(MAIN, asked(template(thing("a"))), headers={"x-ms-correlation-request-id": correlation})
    assert (await until(arm, "Succeeded"))["correlationId"] == correlation
    events = f"{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"
    found = (await arm.get(events, query={"$filter": f"correlationId eq '{correlation}'"}))["value"]
    assert {MAIN, at("a")} <= {event["resourceId"] for event in found}


@pytest.mark.parametrize("path", [MAIN.replace("/rg/", "/none/"), f"{SUBSCRIPTION}{MAIN[len(GROUP) :]}"])
async def test_only_in_a_group_that_is_there(arm: Client, path: str) -> None:
    answer = await arm.ask("PUT", path, asked(template()))
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["code"] in ("ResourceGroupNotFound", "NotSupported")


async def test_a_killed_process_goes_on_with_it(tmp_path: Path, gate: Gate) -> None:
    command = [sys.executable, "-c", _KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        assert process.stdout.readline() == "under way\n"
        process.kill()
    async with cloud(tmp_path) as arm:
        # It comes to the resource that its earlier run began, and waits until that is done.
        await begun(gate, 1)
        await asyncio.sleep(0.5)
        await until(arm, "Running")
        gate.open.set()
        await until(arm, "Succeeded")
        assert await targets(arm) == {"first": "Succeeded", "second": "Succeeded", "third": "Succeeded"}
        await arm.get(at("third"))


async def begun(gate: Gate, count: int) -> None:
    """Wait until so many slow resources are being made."""
    for _ in range(500):
        if len(gate.log) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(gate.log)


async def answered(client: Client, path: str, status: int) -> None:
    """Wait until a GET answers so: 404 once it is gone, 200 once it is there."""
    for _ in range(500):
        if (await client.ask("GET", path)).status_code == status:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(path)


def stored(state: Path) -> bytes:
    """Everything in the control plane's files."""
    return b"".join(path.read_bytes() for path in state.glob("**/*.db*"))


async def assign(owner: Client, to: Client, role: str) -> str:
    """Give a client a role in the resource group; the assignment's id."""
    roles = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
    name = role[:-12] + to.object_id[-12:]
    path = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{name}"
    properties = {
        "principalId": to.object_id,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": f"{roles}/{role}",
    }
    await owner.put(path, {"properties": properties}, version="2023-01-01")
    return path
