"""The OpenAPI document says what the application does: read by people, and tried by schemathesis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.agents import definition
from app.agents.agent import Agent
from app.api.tokens import Tokens
from app.main import create_app
from app.prompts.reload import Watched
from app.settings import AuthenticationSettings
from tests.app.agents.test_agent import Model
from tests.app.conftest import PROMPTS, FakeRouter, FakeStore, make_agent

FOLDERS = sorted(PROMPTS.parent.iterdir())


def _app(folder: Path, tokens: Tokens | None = None) -> Any:
    model: Any = Model()
    store: Any = FakeStore()
    return create_app(make_agent(model, store, folder), tokens=tokens)


def _responses(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (f"{method} {path}", status, response)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, response in operation["responses"].items()
    ]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_examples_fit_the_schema_that_is_shown(folder: Path) -> None:
    document = _app(folder).openapi()
    shown = document["components"]["schemas"]["ExecuteRequest"]
    assert shown["examples"]
    for example in shown["examples"]:
        Draft202012Validator(shown).validate(example)
    assert not Draft202012Validator(shown).is_valid({"input": {}})


def test_every_problem_is_shown_with_an_example_that_fits() -> None:
    document = _app(PROMPTS).openapi()
    found = [(place, status, response) for place, status, response in _responses(document) if status >= "4"]
    problem = {**document["components"]["schemas"]["Problem"], "components": document["components"]}
    for place, status, response in found:
        if place.endswith(("/health", "/readyz")):
            continue
        (kind, content), *_ = response["content"].items()
        assert kind == "application/problem+json", (place, status)
        for example in content["examples"].values():
            Draft202012Validator(problem).validate(example["value"])
            assert example["value"]["status"] == int(status)
    execute = {status for place, status, _ in found if place == "post /api/notification/execute"}
    assert execute == {"400", "401", "403", "413", "422", "429", "502", "503", "504"}


def test_the_document_follows_the_prompts(tmp_path: Path) -> None:
    (tmp_path / "compose.md").write_text((PROMPTS / "compose.md").read_text())
    source = Watched("notification", tmp_path, definition.read)
    llm: Any = FakeRouter()
    store: Any = FakeStore()
    app = create_app(Agent("notification", source, llm, store))
    before = app.openapi()
    assert app.openapi() is before
    text = (PROMPTS / "compose.md").read_text().replace("version: 2.0.0", "version: 2.1.0")
    (tmp_path / "compose.md").write_text(text.replace("maxLength: 8000", "maxLength: 4000"))
    source.refresh()
    assert (before["info"]["version"], app.openapi()["info"]["version"]) == ("2.0.0", "2.1.0")
    assert "4000" in json.dumps(app.openapi()["components"]["schemas"]["ExecuteRequest"])


def test_tokens_are_asked_for_where_they_are_needed() -> None:
    entra = AuthenticationSettings.model_validate({"Audience": "a", "Issuer": "https://login.example/v2.0"})
    document = _app(PROMPTS, Tokens(entra)).openapi()
    guarded = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if operation.get("security")
    }
    assert guarded == {
        "/api/notification/execute",
        "/api/notification/executions",
        "/api/notification/executions/{execution_id}",
    }
    assert "security" not in json.dumps(_app(PROMPTS).openapi())


schema = schemathesis.openapi.from_asgi("/openapi.json", _app(PROMPTS.parent / "servicedesk"))


@schema.parametrize()
@settings(max_examples=40, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_that_is_sent_makes_a_5xx(case: schemathesis.Case[Any]) -> None:
    """Requests that fit the document and requests that do not; answers are as the document says."""
    case.call_and_validate(
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ]
    )
