"""Blocks of workflows as a runner runs them: real make, real Pulumi, a GitHub of our own where one is needed.

Stand-ins: the fixtures' environment is what azure/login and pulumi/actions leave behind; GitHub's REST API is
`fake_github`; artifacts are files in the places where the actions put them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.review.fake_github import FakeGitHub, serving
from tests.infra.review.project import environment, on_a_branch
from tests.infra.review.scenarios import PROGRAM, VAULT
from tests.infra.review.test_changes import git
from tests.sandbox.engine.azure_native.fake_arm import FakeArm
from tests.sandbox.engine.conftest import Project
from tests.workflows.blocks import ROOT, Block, block

#: Keeps all rules of production.
KEPT = """
import pulumi
tags = {"application": "agents", "environment": "prod", "managed-by": "pulumi"}
inputs = {"resourceGroupName": "rg", "resourceName": "id-one", "location": "westeurope", "tags": tags}
pulumi.CustomResource("azure-native:managedidentity:UserAssignedIdentity", "identity", inputs)
"""
IDENTITY = "providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one"


@pytest.fixture
def kept(azure: Project) -> Project:
    """`prod` is deployed with a program that keeps all rules."""
    return on_a_branch(azure, KEPT)


def variables(project: Project, **more: str) -> dict[str, str]:
    base = git(project.directory, "rev-parse", "main").strip()
    summary = str(project.directory.parent / "summary.md")
    return {**environment(project), "BASE": base, "STACK": "prod", "GITHUB_STEP_SUMMARY": summary, **more}


def test_a_preview_that_loses_data_fails_and_leaves_its_report(change: Project) -> None:
    change.write(PROGRAM.replace(VAULT, ""))
    done = block("preview.yml", "azure", "Preview every stack").run(change.directory, variables(change))
    assert done.returncode != 0
    report = (change.directory / "preview.md").read_text()
    assert "| prod | ⛔ 1 loss of data |" in report
    assert "| prod-dr | ⛔" in report


@pytest.mark.parametrize(
    ("plan", "show"),
    [
        (
            block("deploy.yml", "plan", "Plan, and refuse what would lose data or break a rule"),
            block("deploy.yml", "plan", "Show the plan"),
        ),
        (
            block("deploy-stack.yml", "deploy", "Plan, and refuse what would lose data or break a rule"),
            block("deploy-stack.yml", "deploy", "Show the plan"),
        ),
    ],
    ids=["before approval", "before applying"],
)
def test_a_plan_is_shown_and_refused_where_it_breaks_rules(kept: Project, plan: Block, show: Block) -> None:
    kept.write(KEPT.replace('"tags": tags', '"tags": {**tags, "owner": "agents"}'))
    done = plan.run(kept.directory, variables(kept))
    assert done.returncode == 0, done.stdout
    assert show.run(kept.directory, variables(kept)).returncode == 0
    summary = Path(variables(kept)["GITHUB_STEP_SUMMARY"])
    assert "| prod | ✅ safe to apply |" in summary.read_text()
    kept.write(PROGRAM.replace(VAULT, ""))
    assert plan.run(kept.directory, variables(kept)).returncode != 0


def test_what_was_planned_is_applied_with_the_policies(kept: Project, arm: FakeArm) -> None:
    apply = block("deploy-stack.yml", "deploy", "Apply")
    kept.write(KEPT.replace('"tags": tags', '"tags": {**tags, "owner": "agents"}'))
    done = apply.run(kept.directory, variables(kept))
    assert done.returncode == 0, done.stdout
    (identity,) = [found for path, found in arm.resources.items() if path.endswith(IDENTITY.lower())]
    assert identity["tags"]["owner"] == "agents"
    kept.write(KEPT.replace('"managed-by": "pulumi"', '"other": "tag"'))
    done = apply.run(kept.directory, variables(kept))
    assert done.returncode != 0
    assert "resources-are-tagged" in done.stdout
    assert "managed-by" in identity["tags"]


def test_drift_is_told_from_its_absence_and_from_failure(kept: Project, arm: FakeArm) -> None:
    compare = block("drift.yml", "look", "Compare what runs with what is declared")
    file = kept.directory / "drift.txt"
    done = compare.run(kept.directory, variables(kept))
    assert done.returncode == 0, done.stdout
    assert file.read_text() == ""
    (identity,) = [found for path, found in arm.resources.items() if path.endswith(IDENTITY.lower())]
    identity["tags"] = {**identity["tags"], "owner": "somebody"}
    done = compare.run(kept.directory, variables(kept))
    assert done.returncode == 0, done.stdout
    assert "owner" in file.read_text()
    file.unlink()
    kept.write("raise LookupError('broken')")
    assert compare.run(kept.directory, variables(kept)).returncode != 0
    assert not file.exists()


#: In place of the container's client: blobs are files in a folder.
COPIES = """
import pathlib
from types import SimpleNamespace
import azure.storage.blob

FOLDER = pathlib.Path({folder!r})

class Container:
    def list_blob_names(self, *, name_starts_with):
        found = [path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json")]
        return [name for name in found if name.startswith(name_starts_with)]
    def upload_blob(self, name, data, *, overwrite):
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("xb").write(data)
    def download_blob(self, blob):
        return SimpleNamespace(readall=(FOLDER / blob).read_bytes)

azure.storage.blob.ContainerClient = lambda *_, **__: Container()
"""


@pytest.fixture
def copied(kept: Project, tmp_path: Path) -> tuple[dict[str, str], Path]:
    """Environment in which `uv run python` is this one, with the copies in a folder."""
    folder, programs = tmp_path / "copies", tmp_path / "programs"
    folder.mkdir()
    programs.mkdir()
    (programs / "sitecustomize.py").write_text(COPIES.format(folder=str(folder)))
    stand_in = programs / "uv"
    stand_in.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "$@"\n')
    stand_in.chmod(0o755)
    given = variables(kept)
    given["PATH"] = f"{programs}:{given['PATH']}"
    given["PYTHONPATH"] = f"{programs}:{ROOT}"
    given.pop("ARM_METADATA_HOSTNAME", None)
    return given, folder


@pytest.mark.parametrize(
    "save",
    [
        block("deploy-stack.yml", "deploy", "Copy the state to its backup"),
        block("backup.yml", "state", "Copy the state, if it has changed"),
    ],
    ids=["after an update", "each hour"],
)
def test_the_state_is_copied_once_and_compared(
    kept: Project, copied: tuple[dict[str, str], Path], save: Block
) -> None:
    given, folder = copied
    for _ in range(2):
        done = save.run(kept.directory, given)
        assert done.returncode == 0, done.stdout
    [copy] = folder.glob("prod/*.json")
    compare = block("backup.yml", "state", "Compare the newest copy with the state")
    done = compare.run(kept.directory, given)
    assert done.returncode == 0, done.stdout
    copy.write_bytes(copy.read_bytes() + b" ")
    assert compare.run(kept.directory, given).returncode != 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "install",
    [
        block("drift.yml", "look", "Install the program's packages"),
        block("backup.yml", "state", "Install the program's packages"),
    ],
    ids=["drift", "backup"],
)
def test_the_packages_are_installed_as_locked(tmp_path: Path, install: Block) -> None:
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--shared", str(ROOT), str(folder)], check=True)
    done = install.run(folder, os.environ)
    assert done.returncode == 0, done.stdout
    assert (folder / ".venv" / "bin" / "python").exists()


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    head = {"owner": "fork", "ref": "change", "sha": "c" * 40}
    with serving(FakeGitHub(pulls=[{"number": 7, "head": head}])) as made:
        yield made


@pytest.fixture
def runner(tmp_path: Path, hub: FakeGitHub) -> dict[str, str]:
    """The checkout of the main branch is `tmp_path / "main"`."""
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / "infra").symlink_to(ROOT / "infra")
    return {
        **hub.environment(),
        "PATH": os.environ["PATH"],
        "OWNER": "fork",
        "BRANCH": "change",
        "COMMIT": "c" * 40,
    }


def test_the_report_becomes_one_comment(hub: FakeGitHub, runner: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "main"
    (folder / "report").mkdir()
    for text in ("# First", "# Second"):
        (folder / "report" / "preview.md").write_text(text)
        done = block("preview-comment.yml", "comment", "Comment").run(folder, runner)
        assert done.returncode == 0, done.stdout
    (comment,) = hub.comments[7]
    assert "# Second" in comment["body"]


def test_a_stack_that_drifts_has_an_issue(hub: FakeGitHub, runner: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "main"
    for stack, text in (("dev", ""), ("prod", "~ vault")):
        (folder / "found" / f"drift-{stack}").mkdir(parents=True)
        (folder / "found" / f"drift-{stack}" / "drift.txt").write_text(text)
    done = block("drift.yml", "tell", "Open, update or close the issues").run(folder, runner)
    assert done.returncode == 0, done.stdout
    assert [issue["title"] for issue in hub.issues] == ["prod has drifted"]
