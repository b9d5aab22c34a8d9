"""Changes of settings and prompts, as a reviewer reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infra.review import baseline
from infra.review.compare import Difference
from infra.review.plan import MISSING
from infra.review.previews import stack_names
from infra.review.prompts import compare, prompt_changes
from infra.review.settings import settings_changes

_SETTINGS = """
encryptionsalt: v1:abc
config:
  agents:version: 1.0.0
  agents:agents:
    notification: {replicas: 1}
  agents:alerts:
    teams: {secure: v1:one}
"""
_PROMPT = """---
version: 1.0.0
model: {temperature: 0.2}
input:
  required: [channel]
  properties:
    channel: {type: string, enum: [email, sms]}
output:
  required: [subject, body]
---
# System
Write.
Keep every fact.
"""


def test_settings_differ_key_by_key() -> None:
    after = _SETTINGS.replace("replicas: 1", "replicas: 2").replace("agents:version", "agents:domain")
    assert settings_changes(_SETTINGS, after) == [
        Difference("agents:agents.notification.replicas", 1, 2),
        Difference("agents:domain", MISSING, "1.0.0"),
        Difference("agents:version", "1.0.0", MISSING),
    ]


def test_secrets_are_never_shown() -> None:
    after = _SETTINGS.replace("v1:one", "v1:two").replace("v1:abc", "v1:def")
    changes = settings_changes(_SETTINGS, after)
    assert [(change.path, change.before, change.after) for change in changes] == [
        ("agents:alerts.teams", "[secret]", "[another secret]"),
        ("encryptionsalt", "[secret]", "[changed]"),
    ]
    (added,) = settings_changes("config: {}", "config: {'a:b': {secure: v1:one}}")
    assert (added.before, added.after) == (MISSING, "[secret]")


def test_a_new_stack_is_all_new() -> None:
    assert {change.before for change in settings_changes(None, "config: {'a:b': 1}")} == {MISSING}


def test_a_prompt_that_stays_says_nothing() -> None:
    assert compare("p", _PROMPT, _PROMPT) is None


def test_a_change_without_a_version_is_warned_of() -> None:
    found = compare("p", _PROMPT, _PROMPT.replace("Write.", "Write well."))
    assert found is not None
    assert found.headline == "changes and stays version 1.0.0"
    assert found.warnings == ("its content changes and its version does not",)
    assert "-Write.\n+Write well." in found.text


def test_a_new_version_is_named_with_what_it_changes() -> None:
    found = compare("p", _PROMPT, _PROMPT.replace("1.0.0", "1.1.0").replace("0.2", "0.7"))
    assert found is not None
    assert found.headline == "goes from version 1.0.0 to 1.1.0"
    assert found.facts == (Difference("model.temperature", 0.2, 0.7),)
    assert not found.warnings


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        ("required: [channel]", "required: [channel, tenant]", "callers must send tenant"),
        ("required: [subject, body]", "required: [subject]", "answers may lack body"),
        ("enum: [email, sms]", "enum: [email]", "channel no longer takes sms"),
        ("type: string", "type: integer", 'channel changes from "string" to "integer"'),
    ],
)
def test_what_breaks_callers_is_warned_of(old: str, new: str, warning: str) -> None:
    found = compare("p", _PROMPT, _PROMPT.replace("1.0.0", "2.0.0").replace(old, new))
    assert found is not None
    assert warning in found.warnings


def test_widening_breaks_nobody() -> None:
    after = _PROMPT.replace("1.0.0", "1.1.0").replace("[email, sms]", "[email, sms, teams]")
    found = compare("p", _PROMPT, after)
    assert found is not None
    assert found.facts
    assert not found.warnings


def test_new_removed_and_unreadable_prompts() -> None:
    new, removed = compare("p", None, _PROMPT), compare("p", _PROMPT, None)
    assert new is not None
    assert new.headline == "is new, version 1.0.0"
    assert removed is not None
    assert removed.headline == "is removed"
    assert removed.warnings
    broken = compare("p", _PROMPT, "---\n{: }[\n---\ntext")
    assert broken is not None
    assert any("is no YAML" in str(fact.after) for fact in broken.facts)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """On a branch that left main after its first commit; main has gone on."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "prompts" / "one").mkdir(parents=True)
    (tmp_path / "prompts" / "one" / "a.md").write_text(_PROMPT)
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}")
    commit(tmp_path, "first")
    git(tmp_path, "switch", "-q", "-c", "change")
    (tmp_path / "prompts" / "one" / "a.md").write_text(_PROMPT.replace("1.0.0", "1.1.0"))
    commit(tmp_path, "change")
    git(tmp_path, "switch", "-q", "main")
    (tmp_path / "prompts" / "one" / "b.md").write_text(_PROMPT)
    commit(tmp_path, "meanwhile")
    git(tmp_path, "switch", "-q", "change")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def commit(folder: Path, message: str) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", message)


def test_a_change_is_compared_with_where_it_left_the_main_branch(repository: Path) -> None:
    base = baseline.find(repository)
    assert [change.path for change in prompt_changes(base)] == ["prompts/one/a.md"]
    assert base.read("prompts/one/b.md") is None


def test_what_is_not_committed_counts(repository: Path) -> None:
    (repository / "prompts" / "one" / "c.md").write_text(_PROMPT)
    (repository / "prompts" / "one" / "a.md").unlink()
    changes = prompt_changes(baseline.find(repository))
    assert [(change.path, change.headline) for change in changes] == [
        ("prompts/one/a.md", "is removed"),
        ("prompts/one/c.md", "is new, version 1.0.0"),
    ]


def test_before_the_first_commit_there_is_the_main_branch(repository: Path) -> None:
    assert baseline.find(repository, "0" * 40) == baseline.find(repository)


def test_an_unknown_base_is_told_with_its_remedy(repository: Path) -> None:
    with pytest.raises(baseline.BaselineError, match="--base"):
        baseline.find(repository, "nowhere")


def test_stacks_are_those_with_settings_that_git_does_not_ignore(repository: Path) -> None:
    (repository / ".gitignore").write_text("Pulumi.tmp.yaml\n")
    for name in ("prod-dr", "tmp"):
        (repository / f"Pulumi.{name}.yaml").write_text("")
    (repository / "Pulumi.yaml").write_text("")
    assert stack_names(repository) == ["dev", "prod-dr"]


def test_what_is_no_longer_emitted_is_warned_of() -> None:
    path = "prompts/one/agent.yaml"
    before = "{default: a, emits: [agents.one.done, {type: agents.one.failed}]}"
    found = compare(path, before, "{default: b, emits: [agents.one.done]}")
    assert found is not None
    assert found.headline == "changes"
    assert [fact.path for fact in found.facts] == ["default", "emits"]
    assert found.warnings == ("who listens to agents.one.failed hears nothing any more",)
    removed, new = compare(path, before, None), compare(path, None, before)
    assert removed is not None
    assert len(removed.warnings) == 2
    assert new is not None
    assert (new.headline, new.warnings) == ("is new", ())


def test_declarations_are_found_beside_prompts(repository: Path) -> None:
    (repository / "prompts" / "one" / "agent.yaml").write_text("{default: a}")
    changes = prompt_changes(baseline.find(repository))
    assert [change.path for change in changes] == ["prompts/one/a.md", "prompts/one/agent.yaml"]


@pytest.mark.parametrize("role", ["backup", "recovery"])
def test_stacks_that_belong_to_an_environment_are_previewed_by_name_only(tmp_path: Path, role: str) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n  agents:version: 1.0.0\n")
    (tmp_path / "Pulumi.prod-two.yaml").write_text(f"config:\n  agents:role: {role}\n")
    assert stack_names(tmp_path) == ["prod"]
