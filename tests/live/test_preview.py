"""`make preview` on six changes that somebody might make, against the dev stack as it is deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.checkout import Checkout
from tests.sandboxed import Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]
_SETTINGS = "Pulumi.dev.yaml"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    if Checkout.uncommitted():
        pytest.skip("what is not committed is deployed as well: the clone of a commit would differ by it")
    return Checkout.make(tmp_path_factory.mktemp("clone") / "main")


@pytest.fixture
def checkout(clone: Checkout) -> Iterator[Checkout]:
    yield clone
    clone.restore()


def preview(checkout: Checkout, sandbox: Sandbox) -> tuple[int, str]:
    """Exit code and report."""
    report = checkout.folder / "preview.md"
    report.unlink(missing_ok=True)
    done = checkout.run("make preview STACKS=dev BASE=HEAD", sandbox.env)
    assert report.exists(), done.stdout
    return done.returncode, report.read_text()


def test_a_harmless_change(sandbox: Sandbox, checkout: Checkout) -> None:
    settings = yaml.safe_load((checkout.folder / _SETTINGS).read_text())
    settings["config"]["agents:agents"]["notification"] = {"replicas": 2}
    (checkout.folder / _SETTINGS).write_text(yaml.safe_dump(settings))
    code, report = preview(checkout, sandbox)
    assert code == 0
    assert "| dev | ✅ safe to apply |" in report
    assert "| `agents:agents.notification.replicas` | `not set` | `2` |" in report


def test_a_change_that_replaces_what_holds_data(sandbox: Sandbox, checkout: Checkout) -> None:
    checkout.change("infra/azure/cosmos_containers.py", "paths=[self.partition_key]", 'paths=["/other"]')
    code, report = preview(checkout, sandbox)
    assert code != 0
    assert "losses of data" in report
    assert "would be replaced**, because resource.partitionKey.paths" in report


def test_a_change_that_breaks_a_rule(sandbox: Sandbox, checkout: Checkout) -> None:
    checkout.change("infra/azure/cosmos_account.py", "disable_local_auth=True", "disable_local_auth=False")
    code, report = preview(checkout, sandbox)
    assert code != 0
    assert "| dev | ⛔ 1 breach of policy |" in report
    assert "| `cosmos-takes-no-keys` | `cosmos` |" in report


def test_a_misspelt_setting(sandbox: Sandbox, checkout: Checkout) -> None:
    checkout.change(_SETTINGS, "agents:version", "agents:verson")
    code, report = preview(checkout, sandbox)
    assert code != 0
    assert "❌ could not be previewed" in report
    assert "agents:verson is not a setting. Did you mean version?" in report


def test_an_agent_that_is_removed(sandbox: Sandbox, checkout: Checkout) -> None:
    settings = yaml.safe_load((checkout.folder / _SETTINGS).read_text())
    del settings["config"]["agents:agents"]["implementation"]
    (checkout.folder / _SETTINGS).write_text(yaml.safe_dump(settings))
    code, report = preview(checkout, sandbox)
    assert code == 0
    assert "| dev | ✅ safe to apply |" in report
    # What waits for it is not lost with it.
    assert "implementation (storage Queue) leaves Pulumi's state and stays in Azure, with its data" in report
    assert "would be deleted" not in report


def test_a_prompt_that_changes(sandbox: Sandbox, checkout: Checkout) -> None:
    checkout.change("prompts/notification/compose.md", "Keep every fact", "Keep each fact")
    code, report = preview(checkout, sandbox)
    assert code == 0
    assert "**`prompts/notification/compose.md`** changes and stays version 2.0.0" in report
    assert "its content changes and its version does not" in report
