from __future__ import annotations

import base64
from pathlib import Path

import pulumi
import pytest
import yaml

from infra.azure.kubeconfig import AKS_SERVER_ID, sign_in_with_azure_cli
from infra.settings.sections import AgentSettings
from infra.workload.dependencies import Dependencies
from infra.workload.image import SOURCES, source_hash
from infra.workload.prompts import ROOT, content_hash, listens, read_prompts, versions


def _tree(root: Path, content: str = "x = 1\n") -> Path:
    (root / "app").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\n")
    (root / "app" / "main.py").write_text(content)
    return root


def test_the_image_is_rebuilt_exactly_when_its_sources_change(tmp_path: Path) -> None:
    first = _tree(tmp_path / "a")
    assert source_hash(first) == source_hash(_tree(tmp_path / "b"))
    assert source_hash(first) != source_hash(_tree(tmp_path / "c", "x = 2\n"))
    before = source_hash(first)
    (first / "README.md").write_text("not part of the image")
    (first / "app" / "__pycache__").mkdir()
    (first / "app" / "__pycache__" / "main.pyc").write_bytes(b"\0")
    assert source_hash(first) == before


def test_the_sources_are_what_the_dockerfile_copies() -> None:
    text = (Path(__file__).parents[2] / "Dockerfile").read_text()
    copied = {line.split()[-2].split("/")[0] for line in text.splitlines() if line.startswith("COPY ")}
    assert {path for path in copied if path} == set(SOURCES) - {"Dockerfile"}


def test_prompts_are_named_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "helper").mkdir()
    (tmp_path / "helper" / "a.md").write_text("one")
    first = read_prompts("helper", tmp_path)
    (tmp_path / "helper" / "a.md").write_text("two")
    assert content_hash(first) != content_hash(read_prompts("helper", tmp_path))


def test_a_declaration_travels_with_the_prompts_and_says_what_is_listened_to(tmp_path: Path) -> None:
    (tmp_path / "helper").mkdir()
    (tmp_path / "helper" / "a.md").write_text("one")
    assert listens(read_prompts("helper", tmp_path)) == []
    (tmp_path / "helper" / "agent.yaml").write_text("{listens: [{type: b.c}, {type: a.b}, {type: b.c}]}")
    found = read_prompts("helper", tmp_path)
    assert set(found) == {"a.md", "agent.yaml"}
    assert listens(found) == ["a.b", "b.c"]


@pytest.mark.parametrize("text", ["[", "[]", "{listens: [{}]}", "{listens: 3}", "text"])
def test_a_broken_declaration_is_refused(text: str) -> None:
    with pytest.raises(pulumi.RunError, match=r"python -m app\.agents\.check"):
        listens({"agent.yaml": text})


def test_shipped_agents_listen_to_what_shipped_agents_emit() -> None:
    folders = [folder.name for folder in ROOT.iterdir()]
    heard = {agent: listens(read_prompts(agent)) for agent in folders}
    assert heard["devops"] == ["agents.servicedesk.incident.triaged"]
    assert heard["notification"] == ["agents.devops.actions.proposed", "agents.servicedesk.incident.triaged"]


def test_versions_are_told_where_they_are_chosen() -> None:
    assert versions(AgentSettings()) == {}
    chosen = AgentSettings.model_validate(
        {"pins": {"a": "1.0.0"}, "trials": {"b": {"version": "2.0.0", "share": 0.1}}}
    )
    assert versions(chosen) == {
        "Prompts__Pins": '{"a": "1.0.0"}',
        "Prompts__Trials": '{"b": {"share": 0.1, "version": "2.0.0"}}',
    }


def test_an_agent_without_prompts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="prompts/ghost"):
        read_prompts("ghost", tmp_path)


def test_the_kubeconfig_holds_no_credential() -> None:
    aks = {
        "clusters": [{"name": "c", "cluster": {"server": "https://c"}}],
        "users": [{"name": "u", "user": {"token": "secret-token"}}],
    }
    text = sign_in_with_azure_cli(base64.b64encode(yaml.safe_dump(aks).encode()).decode())
    assert "secret-token" not in text
    user = yaml.safe_load(text)["users"][0]["user"]["exec"]
    assert user["command"] == "kubelogin"
    assert AKS_SERVER_ID in user["args"]


def test_an_agent_is_told_how_long_its_models_think() -> None:
    needs = Dependencies(
        "https://cosmos.example",
        "https://openai.example",
        "gpt",
        "https://kv.example",
        openai_backup_endpoint="https://backup.example",
        openai_effort="low",
        openai_thought=8192,
    )
    told = needs.environment("notification", "id-notification")
    assert {name: value for name, value in told.items() if "Reasoning" in name} == {
        "LLMProvider__AzureOpenAI__Reasoning__Effort": "low",
        "LLMProvider__AzureOpenAI__Reasoning__Tokens": "8192",
        "LLMProvider__Backup__Reasoning__Effort": "low",
        "LLMProvider__Backup__Reasoning__Tokens": "8192",
    }


def test_an_agent_is_told_of_the_second_region_where_there_is_one() -> None:
    def variables(backup: str | None) -> dict[str, pulumi.Input[str]]:
        needs = Dependencies(
            "https://cosmos.example",
            "https://openai.example",
            "gpt",
            "https://kv.example",
            openai_backup_endpoint=backup,
        )
        return needs.environment("notification", "id-notification")

    alone, paired = variables(None), variables("https://backup.example")
    assert {name: value for name, value in paired.items() if name not in alone} == {
        "LLMProvider__Backup__Endpoint": "https://backup.example",
        "LLMProvider__Backup__DeploymentName": "gpt",
    }
