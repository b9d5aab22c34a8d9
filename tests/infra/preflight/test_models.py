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
DEPLOYMENT = f"{_ACCOUNT}/deployments/gpt-4o-mini"


def test_the_model_in_both_regions(azure: Azure) -> None:
    findings = found(models.model, azure)
    assert [(one.about, one.state) for one in findings] == [
        ("model in westeurope", State.OK),
        ("model in northeurope", State.OK),
    ]


def test_a_version_that_is_not_offered(azure: Azure) -> None:
    azure.at(MODELS)["value"] = [
        recorded.model("gpt-4o-mini", "2024-07-18") | {"kind": "AIServices"},
        recorded.model("gpt-4o-mini", "2024-01-01"),
        recorded.model("gpt-4o-mini", "2025-01-01"),
        recorded.model("text-embedding-3-small", "1", capabilities={"embeddings": "true"}),
    ]
    finding = lacking(found(models.model, azure))
    assert "not offered as GlobalStandard" in finding.found
    assert finding.mend == (
        "pulumi config set --stack prod --path agents:model.name gpt-4o-mini && "
        "pulumi config set --stack prod --path agents:model.version 2025-01-01"
    )


def test_only_a_model_that_chats_can_take_its_place(azure: Azure) -> None:
    speaking = recorded.model("gpt-4o-mini-tts", "2025-03-20", capabilities={"audio": "true"})
    azure.at(MODELS)["value"] = [speaking, recorded.model("gpt-5", "2025-08-07")]
    assert "agents:model.name gpt-5 && " in lacking(found(models.model, azure)).mend


def test_a_model_of_another_kind_of_deployment_is_none(azure: Azure) -> None:
    skus = [{"name": "Standard", "usageName": "OpenAI.Standard.gpt-4o-mini"}]
    azure.at(MODELS)["value"] = [recorded.model("gpt-4o-mini", "2024-07-18", skus=skus)]
    finding = lacking(found(models.model, azure))
    assert finding.mend == "az cognitiveservices model list --location westeurope --output table"


def test_a_model_that_is_deprecated_stays_for_those_who_have_it(azure: Azure) -> None:
    closing = recorded.model("gpt-4o-mini", "2024-07-18", lifecycleStatus="Deprecating")
    azure.at(MODELS)["value"] = [closing, recorded.model("gpt-5-mini", "2025-08-07")]
    finding = lacking(found(models.model, azure))
    assert "is deprecating" in finding.found
    assert "agents:model.name gpt-5-mini && " in finding.mend
    azure.put(DEPLOYMENT, {"sku": {"name": "GlobalStandard", "capacity": 500}})
    assert states(found(models.model, azure)) == [State.OK, State.OK]


@pytest.mark.parametrize(("days", "expected"), [(-1, State.MISSING), (30, State.CHECK), (200, State.OK)])
def test_a_model_that_ends(azure: Azure, days: int, expected: State) -> None:
    ends = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    azure.at(MODELS)["value"] = [
        recorded.model("gpt-4o-mini", "2024-07-18", deprecation={"inference": ends}),
        recorded.model("gpt-5-mini", "2025-08-07"),
    ]
    first = found(models.model, azure)[0]
    assert first.state is expected
    if expected is not State.OK:
        assert "gpt-5-mini" in first.mend


@pytest.mark.parametrize(("used", "state"), [(1500.0, State.OK), (1501.0, State.MISSING)])
def test_capacity_that_is_left(azure: Azure, used: float, state: State) -> None:
    azure.at(TOKENS)["value"] = [recorded.tokens("gpt-4o-mini", used=used)]
    finding = found(models.model, azure)[0]
    assert finding.state is state
    if state is State.MISSING:
        assert finding.mend.startswith(
            "pulumi config set --stack prod --path agents:model.capacity 499, or ask"
        )


def test_capacity_that_the_stack_has_already(azure: Azure) -> None:
    azure.put(DEPLOYMENT, {"sku": {"name": "GlobalStandard", "capacity": 500}})
    azure.at(TOKENS)["value"] = [recorded.tokens("gpt-4o-mini", used=2000)]
    assert states(found(models.model, azure)) == [State.OK, State.OK]


def test_no_capacity_at_all_cannot_be_settled_for(azure: Azure) -> None:
    azure.at(TOKENS)["value"] = [recorded.tokens("gpt-4o-mini", limit=0)]
    assert lacking(found(models.model, azure)).mend.startswith(
        "ask for 500 of OpenAI.GlobalStandard.gpt-4o-mini"
    )
