"""`python -m infra.review` on a small project of its own, with the real engine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.review import __main__ as review
from infra.review.previews import PreviewError, Pulumi
from tests.infra.review.scenarios import PROGRAM, VAULT
from tests.sandbox.engine.conftest import Project


@pytest.fixture(autouse=True)
def _shell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is a project, be in its folder with its variables."""
    if "change" in request.fixturenames:
        project: Project = request.getfixturevalue("change")
        for name, value in project.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(project.directory)


def test_every_stack_is_previewed_and_nothing_is_touched(
    change: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    change.write(PROGRAM.replace(VAULT, ""))
    settings = change.directory / "Pulumi.prod.yaml"
    settings.write_text(f"{settings.read_text()}config:\n  agents:replicas: 2\n")
    before = {path: path.read_bytes() for path in change.directory.glob("Pulumi*.yaml")}
    assert review.main([]) == 1
    report, progress = capsys.readouterr()
    assert "| prod | ⛔ 1 loss of data |" in report
    assert "**vault (keyvault Vault) would be deleted**" in report
    assert "## prod-dr" in report
    assert "This stack is not deployed here: 6 resources would be new" in report
    assert "`cosmos-takes-no-keys`" in report
    assert "| `agents:replicas` | `not set` | `2` |" in report
    assert "preview: prod: ⛔" in progress
    assert {path: path.read_bytes() for path in change.directory.glob("Pulumi*.yaml")} == before
    assert "prod-dr" not in change.pulumi("stack", "ls")


#: A component as the program's own, which says what it holds.
HOLDING = """
account = pulumi.ComponentResource("agents:azure:Cosmos", "cosmos")
account.register_outputs({"holds": {"cosmos-agents-prod": "8F3C1A52-0d5e-4b57-9c39-5d1b1a6f0c11"}})
"""


def test_what_is_given_up_has_the_name_that_the_state_knows(
    change: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    change.write(PROGRAM + HOLDING)
    change.up()
    settings = change.directory / "Pulumi.prod.yaml"
    settings.write_text(
        f"{settings.read_text()}config:\n  agents:begin_empty: [8f3c1a52-0d5e-4b57-9c39-5d1b1a6f0c11]\n"
    )
    review.main(["prod"])
    report = capsys.readouterr().out
    assert "The data of account cosmos-agents-prod (8f3c1a52-0d5e-4b57-9c39-5d1b1a6f0c11)" in report
    assert report.index("Where agents' data is") < report.index("## prod")


def test_a_program_that_fails_is_reported_as_such(
    change: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change.write("raise LookupError('agents:verson is not a setting')")
    output = tmp_path / "report.md"
    assert review.main(["prod", "--output", str(output)]) == 2
    assert "❌ could not be previewed" in output.read_text()
    assert "agents:verson is not a setting" in output.read_text()
    assert capsys.readouterr().out == ""


def test_a_missing_pulumi_is_told_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PreviewError, match="make up"):
        Pulumi.of(tmp_path)


def test_an_unreadable_backend_is_an_error_not_an_empty_report(
    change: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{os.devnull}/none")
    assert review.main([]) == 2
    assert "`pulumi stack ls` failed" in capsys.readouterr().err
