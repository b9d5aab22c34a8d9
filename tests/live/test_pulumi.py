"""The engine's view: what is deployed is what is declared, and stays so through refreshes and kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.sandboxed import ROOT, Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]


def _changes(text: str) -> dict[str, int]:
    """Operations of a `--json` preview or update that change something."""
    summary = json.loads(text)["changeSummary"]
    return {kind: count for kind, count in summary.items() if kind != "same" and count}


def test_a_deployed_stack_has_no_changes(sandbox: Sandbox) -> None:
    sandbox.pulumi("preview", "-s", "dev", "--expect-no-changes")


def test_a_refresh_finds_nothing_to_change(sandbox: Sandbox) -> None:
    result = sandbox.pulumi("preview", "-s", "dev", "--refresh", "--json")
    assert _changes(result.out) == {}


def test_a_misspelt_setting_stops_before_anything_is_declared(sandbox: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "Pulumi.dev.yaml"
    config.write_text((ROOT / "Pulumi.dev.yaml").read_text().replace("agents:version", "agents:verson"))
    result = sandbox.pulumi("preview", "-s", "dev", "--config-file", str(config), check=False)
    assert result.code != 0
    assert "agents:verson is not a setting. Did you mean version?" in result.out + result.err
    assert "Traceback" not in result.out + result.err


def test_an_unknown_region_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "Pulumi.dev.yaml"
    config.write_text((ROOT / "Pulumi.dev.yaml").read_text().replace("westeurope", "middleearth"))
    result = sandbox.pulumi("preview", "-s", "dev", "--config-file", str(config), check=False)
    assert result.code != 0
    assert "azure-native:location is 'middleearth'" in result.out + result.err


def _stack_resources(sandbox: Sandbox) -> list[str]:
    state = sandbox.pulumi("stack", "export", "-s", "dev").json()
    return sorted(resource["urn"] for resource in state["deployment"].get("resources", []))


def _requested(sandbox: Sandbox) -> str:
    """The memory that the notification agent's pods request."""
    path = "jsonpath={.spec.template.spec.containers[0].resources.requests.memory}"
    return sandbox.kubectl("get", "deployment", "notification-agent", "-n", "agents-dev", "-o", path)


def test_pulumi_killed_in_the_middle_converges(sandbox: Sandbox, tmp_path: Path) -> None:
    """Kill -9 while resources are being made; the next `pulumi up` finishes, nothing doubled or orphaned."""
    before = _stack_resources(sandbox)
    config = tmp_path / "Pulumi.dev.yaml"
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    assert "notification: {}" in text
    config.write_text(text.replace("notification: {}", "notification: {memory: 300Mi}"))
    command = ["pulumi", "--non-interactive", "up", "-s", "dev", "--yes", "--skip-preview"]
    process = subprocess.Popen(
        [*command, "--config-file", str(config)],
        env=sandbox.env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while _requested(sandbox) != "300Mi":
        assert time.monotonic() < deadline, "the update never reached the deployment"
        assert process.poll() is None, "the update ended before it was killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    sandbox.pulumi("cancel", "-s", "dev", "--yes", check=False)
    sandbox.pulumi("up", "-s", "dev", "--yes", "--skip-preview", "--refresh", timeout=600)
    sandbox.pulumi("preview", "-s", "dev", "--expect-no-changes")
    assert _stack_resources(sandbox) == before
    assert _requested(sandbox) == "256Mi"
