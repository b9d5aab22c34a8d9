"""Models fail under load: the backup answers, nobody notices but by a header, and the primary comes back.

dev has one region, so the backup is an account that an operator adds by hand, as the runbook's failover does.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.live import pods
from tests.live.traffic import Traffic
from tests.sandboxed import Sandbox
from tests.waiting import until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

GROUP = ("-g", "rg-agents-dev")
PRIMARY, BACKUP = "oai-agents-dev", "oai-agents-dev-spare"
MODEL = "gpt-5.4-mini"
ATTEMPT_SECONDS = 3
#: Longer than a breaker's cooldown, which a failed probe doubles.
BACK_SECONDS = 90
_BREAKER = re.compile(r'llm_breaker_state\{.*provider="azure-openai",state="([a-z-]+)"\} 1\.0')


@dataclass(frozen=True)
class Models:
    sandbox: Sandbox
    url: str

    def fail(self, account: str, *how: str) -> None:
        path = ("--host", f"{account}.*", "--path", "*/chat/completions")
        self.sandbox.run("uv", "run", "sandbox", "fault", "openai", *path, *how)

    def mend(self) -> None:
        self.sandbox.run("uv", "run", "sandbox", "fault", "clear")

    def traffic(self) -> Traffic:
        """Executions only, each of which asks a model."""
        bundle = self.sandbox.env["SSL_CERT_FILE"]
        return Traffic(self.url, bundle, callers=2, one_executes_in=1, cache_control="no-cache")

    def execute(self) -> tuple[int, dict[str, str]]:
        """Status and headers of one execution."""
        body = json.dumps({"input": {"channel": "teams", "recipient": "ops", "message": "Down?"}})
        printed = self.sandbox.run(
            *("curl", "-sS", "-D", "-", "-o", "/dev/null", "-w", "%{http_code}", "-d", body),
            *("-H", "content-type: application/json", "-H", "cache-control: no-cache", f"{self.url}/execute"),
        ).out
        lines = [line.partition(": ") for line in printed.splitlines() if ": " in line]
        return int(printed.splitlines()[-1]), {name.lower(): value for name, _, value in lines}

    def breakers(self) -> set[str]:
        """The states of the primary's, each pod has one."""
        found = set()
        for pod in pods.staying(self.sandbox):
            for line in pods.metrics(self.sandbox, pod):
                state = _BREAKER.fullmatch(line)
                if state is not None:
                    found.add(state[1])
        return found


@pytest.fixture(scope="module")
def models(sandbox: Sandbox) -> Iterator[Models]:
    """A second account with the same model, which the agent may use and knows of."""
    account = sandbox.az(
        *("cognitiveservices", "account", "create", *GROUP, "-n", BACKUP, "-l", "northeurope", "--yes"),
        *("--kind", "OpenAI", "--sku", "S0", "--custom-domain", BACKUP),
    )
    sandbox.az(
        *("cognitiveservices", "account", "deployment", "create", *GROUP, "-n", BACKUP),
        *("--deployment-name", MODEL, "--model-name", MODEL, "--model-version", "2026-03-17"),
        *("--model-format", "OpenAI", "--sku-name", "GlobalStandard", "--sku-capacity", "200"),
    )
    identity = sandbox.az("identity", "show", *GROUP, "-n", "id-notification-agents-dev")
    sandbox.az(
        *("role", "assignment", "create", "--scope", account["id"]),
        *("--role", "Cognitive Services OpenAI User"),
        *("--assignee-object-id", identity["principalId"], "--assignee-principal-type", "ServicePrincipal"),
    )
    _set_env(
        sandbox,
        f"LLMProvider__Backup__Endpoint={account['properties']['endpoint']}",
        f"LLMProvider__Backup__DeploymentName={MODEL}",
        "LLMProvider__Backup__Reasoning__Effort=none",
        f"LLMProvider__AttemptSeconds={ATTEMPT_SECONDS}",
    )
    url = sandbox.pulumi("stack", "output", "-s", "dev", "agentsUrl").out.strip()
    models = Models(sandbox, f"{url}/api/notification")
    yield models
    models.mend()
    names = ("Backup__Endpoint", "Backup__DeploymentName", "Backup__Reasoning__Effort", "AttemptSeconds")
    _set_env(sandbox, *(f"LLMProvider__{name}-" for name in names))
    sandbox.az("cognitiveservices", "account", "delete", *GROUP, "-n", BACKUP)
    sandbox.az("cognitiveservices", "account", "purge", *GROUP, "-n", BACKUP, "-l", "northeurope")


@pytest.fixture(autouse=True)
def works_again(models: Models) -> Iterator[None]:
    """Before each test the primary answers."""
    until(lambda: models.execute()[1].get("x-llm-provider"), lambda who: who == "azure-openai", BACK_SECONDS)
    yield
    models.mend()


@pytest.mark.parametrize(
    "fault",
    [("--status", "429", "--retry-after", "2"), ("--status", "500"), ("--hang", "30"), ("--cut",)],
    ids=["throttled", "broken", "silent", "broken off"],
)
def test_no_request_fails_while_one_provider_lives(models: Models, fault: tuple[str, ...]) -> None:
    with models.traffic() as traffic:
        models.fail(PRIMARY, *fault)
        until(lambda: traffic.providers["azure-openai-backup"] >= 20, seconds=120, what="the backup answers")
        assert models.breakers() & {"open", "half-open"}
        models.mend()
        before = traffic.providers["azure-openai"]
        until(
            lambda: traffic.providers["azure-openai"] > before + 5,
            seconds=BACK_SECONDS,
            what="the primary is back",
        )
        until(models.breakers, lambda states: states == {"closed"}, seconds=BACK_SECONDS)
    assert traffic.failures == []
    # One attempt that came to nothing, and then the backup's.
    assert traffic.slowest < 2 * ATTEMPT_SECONDS


def test_without_any_provider_callers_hear_when_to_come_again(models: Models) -> None:
    models.fail(PRIMARY, "--status", "429", "--retry-after", "40")
    models.fail(BACKUP, "--status", "429", "--retry-after", "20")
    status, headers = models.execute()
    assert status == 503
    assert 1 <= int(headers["retry-after"]) <= 20, "the one that is free first"
    began = time.monotonic()
    models.mend()
    until(lambda: models.execute()[0], lambda status: status == 200, seconds=BACK_SECONDS)
    assert time.monotonic() - began < BACK_SECONDS


def _set_env(sandbox: Sandbox, *changes: str) -> None:
    sandbox.kubectl("set", "env", pods.DEPLOYMENT, *pods.NAMESPACE, *changes)
    pods.settled(sandbox)
