"""A lost state is built again from what is in Azure, and nothing is replaced or made twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.recovery import adopt, ids
from infra.recovery.settle import settled
from sandbox.config import SUBSCRIPTION_ID
from sandbox.types import table
from tests.conformance.program import declared
from tests.infra.recovery.stack import Stack

pytestmark = [pytest.mark.timeout(900)]


@pytest.mark.parametrize("stack_name", ["dev", "prod", "prod-backup", "prod-dr"])
def test_ids_are_known_for_everything_that_the_program_declares(stack_name: str) -> None:
    for one in declared(stack_name):
        token = str(one.row.pulumi)
        if token == "azure-native:keyvault:Secret":
            continue
        assert ids.template(token) == one.row.path
        assert ids.version(token) == one.row.api_version


def test_every_type_is_one_that_azure_has() -> None:
    for token in ids.TYPES:
        row = table.by_token(token)
        assert row is not None
        assert ids.template(token) == row.path


def test_an_id_waits_for_all_of_its_parts() -> None:
    token, known = "azure-native:sql:Server", {"resourceGroupName": "rg"}
    assert ids.resource_id(token, known, "s") is None
    server = ids.resource_id(token, {**known, "serverName": "sql"}, "s")
    assert server == "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Sql/servers/sql"
    lock = {"scope": f"{server}", "lockName": "keep"}
    assert (
        ids.resource_id("azure-native:authorization:ManagementLockByScope", lock, "s")
        == f"{server}/providers/Microsoft.Authorization/locks/keep"
    )


def test_a_lost_state_is_built_again(stack: Stack) -> None:
    stack.up()
    before = {**stack.accounts(), **stack.databases()}
    urns = _urns(stack)
    project = stack.project
    project.pulumi("stack", "rm", "test", "--yes", "--force", "--preserve-config")
    project.pulumi("stack", "init", "test")

    file = project.directory / "import.json"
    for _ in range(12):
        preview = adopt.parse(project.pulumi("preview", "--json", "--import-file", str(file)))
        found = adopt.adopted(preview, json.loads(file.read_text()), SUBSCRIPTION_ID, stack.exists)
        if not any("id" in one for one in found["resources"]):
            break
        file.write_text(json.dumps(found))
        project.pulumi("import", "--file", str(file), "--yes", "--protect=false", "--generate-code=false")
        preview = adopt.parse(project.pulumi("preview", "--json"))
        state = json.loads(project.pulumi("stack", "export"))
        file.write_text(json.dumps(settled(state, preview)))
        project.pulumi("stack", "import", "--file", str(file))
    changes = {(step["op"], step["urn"]) for step in preview["steps"] if _of_azure(step)}
    assert {change for change in changes if change[0] not in {"same", "update"}} == set()
    stack.up()
    assert {**stack.accounts(), **stack.databases()} == before
    assert _urns(stack) == urns
    project.pulumi("preview", "--refresh", "--expect-no-changes")


def test_only_what_the_program_never_sets_is_taken_out() -> None:
    inputs = {"a": 1, "b": {"c": 2, "d": 3}, "list": [{"e": 4, "f": 5}, {"g": 6}]}
    state = {"deployment": {"resources": [{"urn": "u", "inputs": inputs}, {"urn": "v", "inputs": {"a": 1}}]}}
    kinds = {
        "a": "delete-replace",
        "b.c": "delete",
        "b.d": "update",
        "list[0].e": "delete",
        "list[1]": "delete",
        "gone.x": "delete",
    }
    step = {
        "op": "replace",
        "urn": "u",
        "newState": {"type": "azure-native:sql:Server"},
        "detailedDiff": {path: {"kind": kind} for path, kind in kinds.items()},
    }
    elsewhere = {**step, "urn": "v", "newState": {"type": "kubernetes:core/v1:Secret"}}
    made = settled(state, {"steps": [step, elsewhere]})["deployment"]["resources"]
    assert made[0]["inputs"] == {"b": {"d": 3}, "list": [{"f": 5}, {"g": 6}]}
    assert made[1]["inputs"] == {"a": 1}


def _of_azure(step: dict[str, Any]) -> bool:
    return "azure-native:" in str((step.get("newState") or {}).get("type"))


def _urns(stack: Stack) -> set[str]:
    return {one["urn"] for one in stack.project.state()["resources"] if "providers" not in one["urn"]}
