"""The blocks of preview.yml that need a sandbox, on the one that the other live tests use.

A clone of HEAD is mounted where this checkout lies, for the blocks alone: they check out commits, and where a
program lies is a part of what it declares.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.infra.review.test_changes import git
from tests.sandboxed import Sandbox
from tests.workflows.blocks import ROOT, Block, block

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]
_MOUNTED = 'mount --bind "$1" "$2" && cd "$2" && exec bash --noprofile --norc -eo pipefail -c "$3"'


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if git(ROOT, "status", "--porcelain"):
        pytest.skip("what is not committed would be undone: these blocks deploy a commit")
    folder = tmp_path_factory.mktemp("clone")
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


def run(made: Block, clone: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The block, with the clone in the place of this checkout."""
    given = {
        **environment,
        "BASE": git(clone, "rev-parse", "HEAD").strip(),
        "GIT_CONFIG_GLOBAL": str(clone.parent / "gitconfig"),
    }
    return subprocess.run(
        ["unshare", "--mount", "bash", "-c", _MOUNTED, "bash", str(clone), str(ROOT), made.script],
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1500,
        check=False,
    )


def test_a_fresh_machine_gets_what_it_lacks() -> None:
    done = block("preview.yml", "sandbox", "Install what a fresh machine lacks").run(ROOT, os.environ)
    assert done.returncode == 0, done.stdout


def test_a_change_is_previewed_against_what_it_started_from(sandbox: Sandbox, clone: Path) -> None:
    done = run(block("preview.yml", "sandbox", "Deploy what the change is compared with"), clone, sandbox.env)
    assert done.returncode == 0, done.stdout
    done = run(block("preview.yml", "sandbox", "Preview every stack"), clone, sandbox.env)
    assert done.returncode == 0, done.stdout
    report = (clone / "preview.md").read_text()
    assert "| dev | ✅ changes nothing |" in report
    assert "## prod" in report
