"""The blocks of preview.yml that need a sandbox, on the one that the other live tests use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.checkout import ROOT, Checkout
from tests.sandboxed import Sandbox
from tests.workflows.blocks import Block, block

pytestmark = [pytest.mark.live, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    if Checkout.uncommitted():
        pytest.skip("what is not committed would be undone: these blocks deploy a commit")
    return Checkout.make(tmp_path_factory.mktemp("clone") / "main")


@pytest.mark.parametrize(
    "install",
    [
        block("preview.yml", "sandbox", "Install what a fresh machine lacks"),
        block("drills.yml", "drill", "Install what a fresh machine lacks"),
    ],
    ids=["preview", "drills"],
)
def test_a_fresh_machine_gets_what_it_lacks(install: Block) -> None:
    done = install.run(ROOT, os.environ)
    assert done.returncode == 0, done.stdout


def test_a_change_is_previewed_against_what_it_started_from(sandbox: Sandbox, checkout: Checkout) -> None:
    environment = {**sandbox.env, "BASE": checkout.head}
    deploy = block("preview.yml", "sandbox", "Deploy what the change is compared with")
    done = checkout.run(deploy.script, environment)
    assert done.returncode == 0, done.stdout
    done = checkout.run(block("preview.yml", "sandbox", "Preview every stack").script, environment)
    assert done.returncode == 0, done.stdout
    report = Path(checkout.folder / "preview.md").read_text()
    assert "| dev | ✅ changes nothing |" in report
    assert "## prod" in report
