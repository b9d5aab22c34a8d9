"""A change on a branch of a small project of its own, for tests that run what a user runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.infra.review.scenarios import PROGRAM
from tests.infra.review.test_changes import commit, git
from tests.sandbox.engine.conftest import Project

ROOT = Path(__file__).parents[3]
#: What a change is reviewed with, lent from this checkout.
_LENT = ("infra", "sandbox", "Makefile", ".venv")


@pytest.fixture
def change(azure: Project) -> Project:
    """Stack `prod` is deployed, `prod-dr` has settings and nothing else; HEAD is where the branch starts."""
    return on_a_branch(azure, PROGRAM, "prod-dr")


def on_a_branch(project: Project, program: str, *undeployed: str) -> Project:
    """Deploy a program as `prod` from the main branch, and leave it for a branch of its own."""
    folder = project.directory
    for name in _LENT:
        (folder / name).symlink_to(ROOT / name)
    ignored = [*_LENT, "Pulumi.test.yaml", "__pycache__", "preview.md"]
    (folder / ".gitignore").write_text("\n".join(ignored))
    project.write(program)
    for stack in undeployed:
        (folder / f"Pulumi.{stack}.yaml").write_text((folder / "Pulumi.prod.yaml").read_text())
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "deployed")
    project.up()
    git(folder, "switch", "-q", "-c", "change")
    return project


def environment(project: Project) -> Mapping[str, str]:
    """As in a user's shell: uv finds this checkout's packages, and leaves them as they are."""
    return {**project.environment, "UV_PROJECT": str(ROOT), "UV_NO_SYNC": "1", "PULUMI_STACK": ""}
