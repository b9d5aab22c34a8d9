"""The pre-flight, as a user runs it: through the Azure CLI's own session, against what is deployed."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator

import pytest

from tests.sandboxed import Result, Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

# Used by AKS in the subscription's name; nothing of it is stored, so it can be given up.
PROVIDER = "Microsoft.PolicyInsights"


def preflight(sandbox: Sandbox, stack: str) -> Result:
    return sandbox.run(sys.executable, "-m", "infra.preflight", "--stack", stack, check=False)


@pytest.fixture
def unregistered(sandbox: Sandbox) -> Iterator[str]:
    sandbox.az("provider", "unregister", "--namespace", PROVIDER)
    yield PROVIDER
    sandbox.az("provider", "register", "--namespace", PROVIDER, "--wait")


def test_what_is_deployed_counts_as_its_own(sandbox: Sandbox) -> None:
    done = preflight(sandbox, "dev")
    assert done.code == 0, done.out + done.err
    assert done.out.splitlines()[-1] == "preflight: ready."
    assert re.search(
        r"cores: region +18 at most, 6 of \d+ in use in westeurope, 6 of them by this stack", done.out
    )
    assert re.search(r"model in westeurope .* 200 of them by this stack", done.out)
    # In the group, which is there, and not in the subscription.
    assert re.search(
        r"rights: resources .* granted on /subscriptions/\S+/resourceGroups/rg-agents-dev\n", done.out
    )


def test_the_command_it_gives_mends_what_is_missing(sandbox: Sandbox, unregistered: str) -> None:
    before = preflight(sandbox, "prod")
    assert before.code == 1, before.out + before.err
    assert f"are not registered: {unregistered}" in before.out
    (command,) = [line.split("-> ")[1] for line in before.out.splitlines() if "-> " in line]
    sandbox.run(*shlex.split(command))
    after = preflight(sandbox, "prod")
    assert after.code == 0, after.out + after.err


def test_without_a_session_nothing_is_known(sandbox: Sandbox, tmp_path: object) -> None:
    signed_out = Sandbox({**sandbox.env, "AZURE_CONFIG_DIR": str(tmp_path)})
    done = preflight(signed_out, "dev")
    assert done.code == 2
    assert "az login" in done.err
