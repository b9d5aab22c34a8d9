"""The model in the stack's regions, and its quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.preflight.checks import (
    models,
)
from infra.preflight.report import State
from tests.infra.preflight import recorded
from tests.infra.preflight.recorded import (
    GROUP,
    Azure,
    found,
    lacking,
    states,
)

MODELS = "/providers/Microsoft.CognitiveServices/locations/westeurope/models"
TOKENS = "/providers/Microsoft.CognitiveServices/locations/westeurope/usages"
_ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/oai-agents-prod"
DEPLOYMENT = f"{_ACCOUNT}/deployments/gpt-5.4-mini"


def test_the_model_in_both_regions(azure: Azure) -> None:
    findings = found(models.model, azure)
    assert [(one.about, one.state) for one in findings] == [
        ("model in westeurope", State.OK),
        ("model in northeurope", State.OK),
    ]


def test_a_version_that_is_not_offered(azure: Azure) -> None:
    azure.at(MODELS)["value"] = [
        recorded.model("gpt-5.4-mini", "2026-03-17") | {"kind": "AIServices"},
        recorded.model("gpt-5.4-mini", "2026-01-01"),
        recorded.model("gpt-5.4-mini", "2026-09-01"),
        recorded.model("text-embedding-3-small", "1", capabilities={"embeddings": "true"}),
    ]
    finding = lacking(found(models.model, azure))
    assert "not offered as GlobalStandard" in finding.found
    assert finding.mend == (
        "pulumi config set --stack prod --path agents:model.name gpt-5.4-mini && "
        "pulumi config set --stack prod --path agents:model.version 2026-09-01"
    )


def test_only_a_model_that_chats_can_take_its_place(azure: Azure) -> None:
    speaking = recorded.model("gpt-4o-mini-tts", "2025-03-20", capabilities={"audio": "true"})
    azure.at(MODELS)["value"] = [speaking, recorded.model("gpt-5.5", "2026-04-24")]
    assert "agents:model.name gpt-5.5 && " in lacking(found(models.model, azure)).mend


def test_a_model_of_another_kind_of_deployment_is_none(azure: Azure) -> None:
    skus = [{"name": "Standard", "usageName": "OpenAI.Standard.gpt-5.4-mini"}]
    azure.at(MODELS)["value"] = [recorded.model("gpt-5.4-mini", "2026-03-17", skus=skus)]
    finding = lacking(found(models.model, azure))
    assert finding.mend == "az cognitiveservices model list --location westeurope --output table"


def test_a_model_that_is_deprecated_stays_for_those_who_have_it(azure: Azure) -> None:
    closing = recorded.model("gpt-5.4-mini", "2026-03-17", lifecycleStatus="Deprecating")
    azure.at(MODELS)["value"] = [closing, recorded.model("gpt-5.6-luna", "2026-07-09")]
    finding = lacking(found(models.model, azure))
    assert "is deprecated" in finding.found
    assert "agents:model.name gpt-5.6-luna && " in finding.mend
    azure.put(DEPLOYMENT, {"sku": {"name": "GlobalStandard", "capacity": 500}})
    assert states(found(models.model, azure)) == [State.OK, State.OK]


def test_a_model_that_is_retired_is_lost_to_those_who_have_it_too(azure: Azure) -> None:
    azure.at(MODELS)["value"] = [recorded.model("gpt-5.4-mini", "2026-03-17", lifecycleStatus="Deprecated")]
    azure.put(DEPLOYMENT, {"sku": {"name": "GlobalStandard", "capacity": 500}})
    assert "gpt-5.4-mini 2026-03-17 is retired" in lacking(found(models.model, azure)).found


def test_a_model_with_successors_may_be_had_and_is_not_proposed(azure: Azure) -> None:
    legacy = recorded.model("gpt-5.4-mini", "2026-03-17", lifecycleStatus="Legacy")
    azure.at(MODELS)["value"] = [legacy]
    assert states(found(models.model, azure)) == [State.OK, State.OK]
    azure.at(MODELS)["value"] = [
        recorded.model("gpt-5.4-mini", "2026-03-01", lifecycleStatus="Legacy"),
        recorded.model("gpt-5.6-luna", "2026-07-09"),
    ]
    assert "agents:model.name gpt-5.6-luna && " in lacking(found(models.model, azure)).mend


@pytest.mark.parametrize(("days", "expected"), [(-1, State.MISSING), (30, State.CHECK), (200, State.OK)])
def test_a_model_that_ends(azure: Azure, days: int, expected: State) -> None:
    ends = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    azure.at(MODELS)["value"] = [
        recorded.model("gpt-5.4-mini", "2026-03-17", deprecation={"inference": ends}),
        recorded.model("gpt-5.6-luna", "2026-07-09"),
    ]
    first = found(models.model, azure)[0]
    assert first.state is expected
    if expected is not State.OK:
        assert "gpt-5.6-luna" in first.mend


@pytest.mark.parametrize(("used", "state"), [(1500.0, State.OK), (1501.0, State.MISSING)])
def test_capacity_that_is_left(azure: Azure, used: float, state: State) -> None:
    azure.at(TOKENS)["value"] = [recorded.tokens("gpt-5.4-mini", used=used)]
    finding = found(models.model, azure)[0]
    assert finding.state is state
    if state is State.MISSING:
        assert finding.mend.startswith(
            "pulumi config set --stack prod --path agents:model.capacity 499, or ask"
        )


def test_capacity_that_the_stack_has_already(azure: Azure) -> None:
    azure.put(DEPLOYMENT, {"sku": {"name": "GlobalStandard", "capacity": 500}})
    azure.at(TOKENS)["value"] = [recorded.tokens("gpt-5.4-mini", used=2000)]
    assert states(found(models.model, azure)) == [State.OK, State.OK]


def test_no_capacity_at_all_cannot_be_settled_for(azure: Azure) -> None:
    azure.at(TOKENS)["value"] = [recorded.tokens("gpt-5.4-mini", limit=0)]
    assert lacking(found(models.model, azure)).mend.startswith(
        "ask for 500 of OpenAI.GlobalStandard.gpt-5.4-mini"
    )
