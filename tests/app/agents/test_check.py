"""`python -m app.agents.check`: what ships passes; what is wrong is named with its file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.agents.check import check, main
from tests.app.conftest import PROMPTS

ROOT = PROMPTS.parent


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(ROOT, tmp_path / "prompts")
    return tmp_path / "prompts"


def test_what_ships_is_all_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ROOT)]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert len(shown.out.splitlines()) == len(list(ROOT.rglob("*.md")))


BROKEN = {
    "a prompt that does not parse": (
        "devops/remediate.md",
        "# User",
        "# Person",
        "devops: remediate: expected a '# System' part",
    ),
    "a type that nobody emits": (
        "devops/agent.yaml",
        "type: agents.servicedesk.incident.triaged",
        "type: agents.servicedesk.incident.closed",
        "devops/agent.yaml: listens to agents.servicedesk.incident.closed, which no agent emits",
    ),
    "a type of another agent": (
        "testplanning/agent.yaml",
        "agents.testplanning.",
        "agents.devops.",
        "its types must begin with agents.testplanning.",
    ),
    "an expression that does not compile": (
        "devops/agent.yaml",
        "severity: data.priority",
        "severity: data.priority +",
        "'data.priority +' is no expression",
    ),
    "an expression that fails": (
        "servicedesk/agent.yaml",
        "sla: output.sla",
        "sla: output.sla.startsAt.year.month",
        "servicedesk/agent.yaml: emits: 'output.sla.startsAt.year.month' fails",
    ),
    "a field that the prompt does not take": (
        "devops/agent.yaml",
        "      service: data.service",
        "      system: data.service",
        "devops/agent.yaml: listens: the prompt takes no system",
    ),
    "a field that the prompt needs": (
        "devops/agent.yaml",
        "      workflows: constants.workflows",
        "",
        "devops/agent.yaml: listens: the prompt needs workflows",
    ),
    "an input that can be too long": (
        "notification/agent.yaml",
        "subject: data.title[:200]",
        "subject: data.description",
        "listens to agents.servicedesk.incident.triaged: makes an input that does not fit: $.subject",
    ),
    "an event that no queue takes": (
        "implementation/agent.yaml",
        "output.summary[:2000]",
        "output.summary",
        "emits agents.implementation.change.proposed of more than 49152 bytes",
    ),
    "a prompt that is not there": (
        "servicedesk/agent.yaml",
        "default: triage",
        "default: sort",
        "servicedesk: agent.yaml: there is no prompt sort; there is triage",
    ),
    "a hook that does not know every answer": (
        "servicedesk/agent.yaml",
        "      P3: {respond: 1440, resolve: 7200}\n",
        "",
        "servicedesk/agent.yaml: hooks: one of them misses 'P3'",
    ),
    "a hook that does not exist": (
        "servicedesk/agent.yaml",
        "use: sla",
        "use: slo",
        "slo",
    ),
}


@pytest.mark.parametrize(("file", "before", "after", "fault"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_is_named_with_its_file(
    root: Path, file: str, before: str, after: str, fault: str
) -> None:
    text = (root / file).read_text()
    assert before in text
    (root / file).write_text(text.replace(before, after))
    _, wrong = check(root)
    assert any(fault in line for line in wrong), wrong
    assert all(line.startswith(str(root)) for line in wrong)
    assert main([str(root)]) == 1


def test_a_folder_of_nothing_is_no_success(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 1
    assert main([str(tmp_path / "absent")]) == 2
