"""Upgrade paths of a deployed environment: nothing that holds data is replaced, no request fails meanwhile.

Every path is judged by the engine's own preview against what is deployed; one of them is really gone, there
and back.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.review.guard import Verdict, judge
from infra.review.plan import Plan, parse
from tests.live.traffic import Traffic
from tests.live.upgrade_paths import RENAMED_WITHOUT_ALIAS, UPGRADES, Upgrade, touched
from tests.sandboxed import Sandbox

# A preview of everything for every path, and a roll out and back: a quarter of an hour.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

_DEPLOYMENT = ("deployment", "notification-agent", "-n", "agents-dev")


def _preview(sandbox: Sandbox, upgrade: Upgrade, folder: Path) -> tuple[Plan, Verdict]:
    project = upgrade.write_project(folder)
    settings = upgrade.write_settings(folder)
    # Packages of the project are installed from this checkout; a copy's own come first.
    printed = Sandbox({**sandbox.env, "PYTHONPATH": str(project)}).pulumi(
        *("preview", "-s", "dev", "-C", str(project), "--config-file", str(settings)),
        *("--json", "--show-replacement-steps"),
        check=False,
    )
    plan = parse(printed.out)
    return plan, judge(plan)


@pytest.mark.parametrize("path", UPGRADES)
def test_an_upgrade_touches_what_it_is_for_and_loses_nothing(
    sandbox: Sandbox, tmp_path: Path, path: str
) -> None:
    upgrade = UPGRADES[path]
    plan, verdict = _preview(sandbox, upgrade, tmp_path)
    assert not verdict.errors
    assert {loss.change.type for loss in verdict.refused} == upgrade.asks
    assert sorted(touched(plan)) == sorted(upgrade.touches)


def test_a_rename_without_an_alias_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    _, verdict = _preview(sandbox, RENAMED_WITHOUT_ALIAS, tmp_path)
    lost = {loss.change.type for loss in verdict.refused}
    assert "azure-native:cosmosdb:DatabaseAccount" in lost
    assert "azure-native:cosmosdb:SqlResourceSqlContainer" in lost


def test_a_new_image_rolls_out_and_back_without_a_failed_request(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = UPGRADES["image"].write_settings(tmp_path)
    url = sandbox.pulumi("stack", "output", "-s", "dev", "agentsUrl").out.strip()
    up = ("up", "-s", "dev", "--yes", "--skip-preview")
    with Traffic(f"{url}/api/notification", sandbox.env["SSL_CERT_FILE"]) as traffic:
        sandbox.pulumi(*up, "--config-file", str(settings), timeout=600)
        assert _version(sandbox) == "1.0.1"
        upgraded = traffic.served
        sandbox.pulumi(*up, timeout=600)
        assert _version(sandbox) == "1.0.0"
    assert traffic.failures == []
    assert 0 < upgraded < traffic.served
    sandbox.pulumi("preview", "-s", "dev", "--expect-no-changes")


def _version(sandbox: Sandbox) -> str:
    """The tag of the image that every pod of the agent runs, once the roll-out is over."""
    sandbox.kubectl("rollout", "status", *_DEPLOYMENT, "--timeout=120s")
    image = sandbox.kubectl("get", *_DEPLOYMENT, "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    return image.partition("@")[0].rpartition(":")[2]
