"""The guard's verdict on what the engine really says, and on what it might say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.policy.stateful import STATEFUL
from infra.review import guard
from infra.review.guard import NO_VERDICT, PASSED, REFUSED, judge
from infra.review.plan import Action, PlanError, parse, read
from tests.infra.review.scenarios import SCENARIOS, VAULT_URN

_VERDICTS = {
    "unchanged": PASSED,
    "created": PASSED,
    "updated": PASSED,
    "harmless_replace": PASSED,
    "account_renamed": REFUSED,
    "made_before_deleted": REFUSED,
    "partition_key": REFUSED,
    "removed": REFUSED,
    "renamed": REFUSED,
    "renamed_with_alias": PASSED,
    "retained_removed": PASSED,
    "retained_replaced": REFUSED,
    "protected_removed": REFUSED,
    "protected_replaced": REFUSED,
    "acknowledged": PASSED,
    "vanished": PASSED,
    "left_over": REFUSED,
    "broken_program": NO_VERDICT,
}


def printed(capsys: pytest.CaptureFixture[str], scenario: str, *arguments: str) -> tuple[int, str]:
    code = guard.main([str(SCENARIOS[scenario].plan), *arguments])
    return code, capsys.readouterr().out


def test_every_scenario_has_a_verdict() -> None:
    assert _VERDICTS.keys() == SCENARIOS.keys()


@pytest.mark.parametrize("name", SCENARIOS)
def test_verdicts(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, name)[0] == _VERDICTS[name]


def test_a_refusal_names_resource_property_loss_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = printed(capsys, "account_renamed")
    assert "refused: cosmos (cosmosdb DatabaseAccount) would be replaced" in text
    assert 'because accountName changes from "cosmos-one" to "cosmos-two"' in text
    assert "lost:    all databases, containers and items of the account" in text
    assert "instead: take back the change of accountName" in text
    assert "--acknowledge 'urn:pulumi:prod::trial::azure-native:cosmosdb:DatabaseAccount::cosmos'" in text


def test_the_property_is_named_down_to_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = printed(capsys, "partition_key")
    assert 'because resource.partitionKey.paths[0] changes from "/agent" to "/tenant"' in text


def test_a_rename_is_told_how_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = printed(capsys, "renamed")
    assert "if secrets is the same thing" in text
    assert "aliases=[pulumi.Alias(name='vault')]" in text


def test_what_stays_in_azure_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = printed(capsys, "retained_removed")
    assert "note: kept (keyvault Vault) leaves Pulumi's state and stays in Azure" in text
    _, text = printed(capsys, "retained_replaced")
    assert "the old one stays in Azure, a new and empty one takes over" in text


def test_what_is_gone_already_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = printed(capsys, "vanished")
    assert "note: vault (keyvault Vault) is gone from Azure: it is made anew" in text


def test_what_an_interrupted_replacement_left_is_not_deleted_unasked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, text = printed(capsys, "left_over")
    assert "vault (keyvault Vault) would be deleted" in text
    assert "an earlier replacement was interrupted" in text


def test_what_is_deleted_after_its_replacement_is_no_left_over(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = printed(capsys, "made_before_deleted")
    assert "refused: unnamed (keyvault Vault) would be replaced" in text
    assert text.count("refused: ") == 1
    assert "interrupted" not in text


def test_an_acknowledgement_lets_one_resource_go(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = printed(capsys, "removed", "--acknowledge", VAULT_URN)
    assert code == PASSED
    assert "acknowledged: vault (keyvault Vault) would be deleted" in text
    assert printed(capsys, "partition_key", "--acknowledge", VAULT_URN)[0] == REFUSED


def test_an_acknowledgement_in_the_settings_carries_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = printed(capsys, "acknowledged")
    assert "would be deleted (its secrets moved to kv-kept)" in text


def test_an_acknowledgement_that_is_not_needed_any_more_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = printed(capsys, "updated", "--acknowledge", VAULT_URN)
    assert code == PASSED
    assert f"{VAULT_URN} is acknowledged, but nothing would be lost there" in text


def test_why_there_is_no_verdict_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = printed(capsys, "broken_program")
    assert "no such setting" in text
    assert "no verdict; the plan is incomplete" in text


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', "null", '"text"', "Previewing update (dev):"])
def test_what_is_no_preview_gets_no_verdict(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "preview.json"
    file.write_text(content)
    assert guard.main([str(file)]) == NO_VERDICT
    assert "pulumi preview --json" in capsys.readouterr().err


def test_a_missing_file_gets_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard.main([str(tmp_path / "none.json")]) == NO_VERDICT
    assert "No such file" in capsys.readouterr().err


def preview(*steps: dict[str, Any], **rest: Any) -> str:
    return json.dumps({"steps": list(steps), "changeSummary": {}, **rest})


def step(op: str, kind: str, **state: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:prod::agents::{kind}::it"
    return {"op": op, "urn": urn, "oldState": {"urn": urn, "custom": True, "type": kind, **state}}


@pytest.mark.parametrize(
    "op", ["delete", "replace", "delete-replaced", "create-replacement", "import-replacement"]
)
@pytest.mark.parametrize("kind", STATEFUL)
def test_no_way_to_lose_a_stateful_resource_is_overlooked(op: str, kind: str) -> None:
    package, module, name = kind.split(":")
    token = f"{package}:{module}/v1:{name}"
    assert judge(parse(preview(step(op, token)))).code == REFUSED


@pytest.mark.parametrize(
    "op", ["same", "update", "read", "refresh", "discard", "remove-pending-replace", "import"]
)
def test_other_operations_lose_nothing(op: str) -> None:
    assert judge(parse(preview(step(op, "azure-native:keyvault:Vault")))).code == PASSED


def test_what_holds_nothing_may_go() -> None:
    assert judge(parse(preview(step("delete", "azure-native:network:VirtualNetwork")))).code == PASSED


def test_components_hold_nothing() -> None:
    gone = step("delete", "agents:azure:Vault")
    gone["oldState"]["custom"] = False
    assert not parse(preview(gone)).changes


def test_a_replacement_that_was_asked_for_says_so() -> None:
    (loss,) = judge(parse(preview(step("replace", "azure-native:sql:Database")))).refused
    assert loss.why == "the run was told to replace it"


@pytest.mark.parametrize("text", ["no JSON", '{"urn": "x"}', '["urn:pulumi:x"]', '[{"urn": "urn"}]'])
def test_a_misspelt_acknowledgement_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="a `urn` and a `reason`"):
        judge(parse(preview(config={"review:acknowledged": text})))


def test_all_three_steps_of_a_replacement_are_one_change() -> None:
    changes = read(SCENARIOS["partition_key"].plan).changes
    assert [(change.name, change.action) for change in changes] == [("events", Action.REPLACE)]
