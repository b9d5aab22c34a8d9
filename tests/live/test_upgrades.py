"""Upgrade paths of a deployed environment: nothing that holds data is replaced, no request fails meanwhile.

Every path is judged by the engine's own preview against what is deployed; two of them are really gone, there
and back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.review.guard import Verdict, judge
from infra.review.plan import Plan, parse
from tests.live.traffic import Traffic
from tests.live.upgrade_paths import RENAMED_WITHOUT_ALIAS, UPGRADES, Upgrade, touched
from tests.sandboxed import Sandbox
from tests.waiting import until

# A preview of everything for every path, and a roll out and back: a quarter of an hour.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

_UP = ("up", "-s", "dev", "--yes", "--skip-preview")
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
    assert not verdict.refused
    assert sorted(touched(plan)) == sorted(upgrade.touches)


def test_a_rename_without_an_alias_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    _, verdict = _preview(sandbox, RENAMED_WITHOUT_ALIAS, tmp_path)
    lost = {loss.change.type for loss in verdict.refused}
    assert "azure-native:cosmosdb:DatabaseAccount" in lost
    assert "azure-native:cosmosdb:SqlResourceSqlContainer" in lost


def test_a_new_image_rolls_out_and_back_without_a_failed_request(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = UPGRADES["image"].write_settings(tmp_path)
    with _traffic(sandbox) as traffic:
        sandbox.pulumi(*_UP, "--config-file", str(settings), timeout=600)
        assert _version(sandbox) == "1.0.1"
        upgraded = traffic.served
        sandbox.pulumi(*_UP, timeout=600)
        assert _version(sandbox) == "1.0.0"
    assert traffic.failures == []
    assert 0 < upgraded < traffic.served
    sandbox.pulumi("preview", "-s", "dev", "--expect-no-changes")


def test_an_agent_that_leaves_and_comes_back_finds_its_queue(
    sandbox: Sandbox, tmp_path: Path, may_send: tuple[str, ...]
) -> None:
    """As docs/changes.md says; the others' pods learn of it without a failed request."""
    settings = UPGRADES["removed agent"].write_settings(tmp_path)
    with _traffic(sandbox) as traffic:
        sandbox.pulumi(*_UP, "--config-file", str(settings), timeout=600)
        assert "devops-agent" not in sandbox.kubectl("get", "deployments", "-n", "agents-dev")
        # It takes a moment until a new role works, as on Azure.
        until(
            lambda: sandbox.run(*_message("put"), "--content", "waiting", *may_send, check=False),
            lambda sent: sent.code == 0,
            what="a message to be taken",
        )
        refused = sandbox.pulumi(*_UP, check=False, timeout=600)
        assert refused.code != 0
        assert "take it over with `pulumi import`" in refused.out + refused.err
        account = sandbox.az("storage", "account", "show", "--name", "stagentsdev")["id"]
        parent = "storage=urn:pulumi:dev::agents::agents:azure:Storage::storage"
        what = ("azure-native:storage:Queue", "devops", f"{account}/queueServices/default/queues/devops")
        how = ("--generate-code=false", "--protect=false", "--parent", parent, "--yes", "-s", "dev")
        sandbox.pulumi("import", *what, *how)
        sandbox.pulumi(*_UP, timeout=600)
        sandbox.kubectl("rollout", "status", "deployment/devops-agent", "-n", "agents-dev", "--timeout=120s")
    assert traffic.failures == []
    (waiting,) = sandbox.run(*_message("peek"), *may_send).json()
    assert waiting["content"] == "waiting"
    sandbox.pulumi("preview", "-s", "dev", "--expect-no-changes", "--refresh")


@pytest.fixture
def may_send(sandbox: Sandbox) -> Iterator[tuple[str, ...]]:
    """Whoever is signed in may use the queues, emptied afterwards; arguments that say where they are."""
    mine = sandbox.az("ad", "sp", "show", "--id", sandbox.env["ARM_CLIENT_ID"])["id"]
    account = sandbox.az("storage", "account", "show", "--name", "stagentsdev")["id"]
    what = ("--role", "Storage Queue Data Contributor", "--scope", account)
    sandbox.az(
        *("role", "assignment", "create", *what),
        *("--assignee-object-id", mine, "--assignee-principal-type", "ServicePrincipal"),
    )
    where = ("--account-name", "stagentsdev", "--auth-mode", "login", "--output", "json")
    yield where
    sandbox.run(*_message("clear"), *where)
    sandbox.az("role", "assignment", "delete", *what, "--assignee", mine)


def _message(command: str) -> tuple[str, ...]:
    return ("az", "storage", "message", command, "--queue-name", "devops")


def _traffic(sandbox: Sandbox) -> Traffic:
    url = sandbox.pulumi("stack", "output", "-s", "dev", "agentsUrl").out.strip()
    return Traffic(f"{url}/api/notification", sandbox.env["SSL_CERT_FILE"])


def _version(sandbox: Sandbox) -> str:
    """The tag of the image that every pod of the agent runs, once the roll-out is over."""
    sandbox.kubectl("rollout", "status", *_DEPLOYMENT, "--timeout=120s")
    image = sandbox.kubectl("get", *_DEPLOYMENT, "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    return image.partition("@")[0].rpartition(":")[2]
