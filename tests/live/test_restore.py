"""Data as of a moment, by settings and `pulumi up`: both services, through the agents' own API.

The original is left alone, the same settings again change nothing, and without them agents are back on it.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.naming import Names, restored_database
from infra.settings.restores import written
from tests.live.agents import URL, Agents
from tests.sandboxed import ROOT, Sandbox
from tests.waiting import until

# Two restores, and agents that roll out twice: minutes.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

_UP = ("up", "-s", "dev", "--yes", "--skip-preview")
SETTINGS = "Pulumi.dev.yaml"
NAMES = Names("dev")


def _settings(folder: Path, *restores: dict[str, Any]) -> Path:
    document = yaml.safe_load((ROOT / SETTINGS).read_text())
    document["config"]["agents:restores"] = list(restores)
    file = folder / SETTINGS
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def _execute(agents: Agents) -> str:
    body = {"input": {"channel": "teams", "recipient": "ops", "message": f"Sentinel {uuid.uuid4()}"}}
    headers = ("-H", "content-type: application/json")
    answer = agents.curl(*headers, "-d", json.dumps(body), f"{URL}/notification/execute")
    return str(answer["id"])


def _there(agents: Agents, execution: str) -> bool:
    asked = ("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}")
    code = agents.sandbox.run(*asked, f"{URL}/notification/executions/{execution}").out
    assert code in {"200", "404"}, code
    return code == "200"


@pytest.fixture
def original_again(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.pulumi(*_UP, timeout=900)


def test_data_is_as_of_the_moment_that_the_settings_name(
    sandbox: Sandbox, tmp_path: Path, original_again: None
) -> None:
    agents = Agents(sandbox, tries=30)
    before = [_execute(agents) for _ in range(5)]
    # Restores are to the second: nothing is written within the one that is named.
    time.sleep(2)
    as_of = datetime.now(UTC).replace(microsecond=0)
    time.sleep(2)
    after = [_execute(agents) for _ in range(3)]

    settings = _settings(tmp_path, {"as_of": written(as_of)})
    began = time.monotonic()
    sandbox.pulumi(*_UP, "--config-file", str(settings), timeout=900)
    seconds = time.monotonic() - began
    assert [_there(agents, one) for one in before] == [True] * len(before)
    assert [_there(agents, one) for one in after] == [False] * len(after)
    newer = _execute(agents)
    assert _there(agents, newer)
    print(f"restored as of {written(as_of)} in {seconds:.0f} s")  # noqa: T201 - a figure

    again = ("preview", "-s", "dev", "--config-file", str(settings), "--expect-no-changes")
    sandbox.pulumi(*again, timeout=300)

    sandbox.pulumi(*_UP, timeout=900)
    assert [_there(agents, one) for one in (*before, *after)] == [True] * 8
    assert not _there(agents, newer)
    account = sandbox.az("cosmosdb", "show", "-g", NAMES.resource_group, "-n", NAMES.restored_cosmos(as_of))
    assert account["provisioningState"] == "Succeeded"
    database = restored_database("AgentsDB", as_of)
    where = ("-g", NAMES.resource_group, "-s", NAMES.sql, "-n", database)
    until(lambda: sandbox.az("sql", "db", "show", *where)["status"], lambda status: status == "Online")


@pytest.mark.parametrize(
    ("as_of", "said"),
    [("2020-01-01T00:00:00Z", "can be restored to"), ("2100-01-01T00:00:00Z", "now")],
    ids=["before the window", "in the future"],
)
def test_a_point_outside_the_window_is_refused_before_anything_is_made(
    sandbox: Sandbox, tmp_path: Path, as_of: str, said: str
) -> None:
    settings = _settings(tmp_path, {"as_of": as_of})
    refused = sandbox.pulumi(*_UP, "--config-file", str(settings), check=False, timeout=300)
    assert refused.code != 0
    printed = refused.out + refused.err
    assert "agents:restores cannot be done" in printed
    assert said in printed
    sandbox.pulumi("preview", "-s", "dev", "--expect-no-changes")
