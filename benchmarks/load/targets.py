"""What is measured: the stub itself; before it an agent, its router alone, and LiteLLM's proxy."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load import certificate, environments
from benchmarks.load.certificate import Certificate
from benchmarks.load.environments import ROOT
from benchmarks.load.processes import Process, free_port
from benchmarks.load.wrk import Load

#: The largest of the prompts that is run most: what fits it fits the others.
AGENT = "servicedesk"
NAMES = ("stub", "app", "router", "litellm")
#: Asked for like a target, measured without the others.
EVENTS = "events"
_DEPLOYMENT = "stub"
_KEY = "sk-bench"
_ENDLESS = str(10**15)
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Target:
    name: str
    load: Load
    process: Process


@dataclass(frozen=True)
class Bench:
    """Everything that runs. `chat` is the request that the agent makes of its model.

    `execution_bytes` is the size of an execution as the agent answers and stores it.
    """

    targets: tuple[Target, ...]
    model: str
    cloud: str
    chat: Mapping[str, Any]
    execution_bytes: int

    def set_latency(self, milliseconds: float) -> None:
        httpx.put(f"{self.model}/stub/latency", content=str(milliseconds)).raise_for_status()

    def stored(self) -> int:
        """Executions that the agent has stored so far."""
        answer = httpx.get(f"{self.cloud}/stub/executions", verify=False)  # noqa: S501 - loopback
        return int(answer.raise_for_status().text)


@contextmanager
def running(
    names: Sequence[str], folder: Path, measured_on: Sequence[int], rest: Sequence[int]
) -> Iterator[Bench]:
    """The named targets on loopback, with all that they need. `folder` takes logs and bodies.

    What is measured runs on processors of its own, if there are enough, so that wrk and the stubs do not take
    its time. The agent always runs: it says what is sent to the model.
    """
    with ExitStack() as stack:
        trusted = certificate.make(folder)
        cloud, model = cloud_stub(folder, trusted, rest), _model(folder, rest)
        stack.enter_context(cloud)
        stub = stack.enter_context(model)
        agent = stack.enter_context(_agent(folder, trusted, origin(stub), origin(cloud), measured_on))
        execute = _execute_load(origin(agent), folder)
        execution = _try(execute)
        chat = httpx.get(f"{origin(stub)}/stub/request").json()
        targets = [
            Target("stub", _chat_load(origin(stub), "openai/v1", folder, chat, {}), stub),
            Target("app", execute, agent),
        ]
        if "router" in names:
            router = stack.enter_context(_router(folder, trusted, origin(stub), origin(cloud), measured_on))
            targets.append(Target("router", _chat_load(origin(router), "v1", folder, chat, {}), router))
        if "litellm" in names:
            proxy = stack.enter_context(_litellm(folder, origin(stub), measured_on))
            asked = {**chat, "model": "bench"}
            key = {"authorization": f"Bearer {_KEY}"}
            targets.append(Target("litellm", _chat_load(origin(proxy), "v1", folder, asked, key), proxy))
        chosen = tuple(target for target in targets if target.name in names)
        for target in chosen:
            _try(target.load)
        yield Bench(chosen, origin(stub), origin(cloud), chat, len(execution))


def origin(process: Process) -> str:
    """Where it listens."""
    return "/".join(process.ready.split("/")[:3])


def _model(folder: Path, cpus: Sequence[int]) -> Process:
    port = free_port()
    command = (sys.executable, "-m", "benchmarks.load.stubs.model", str(port))
    return Process("model", command, f"http://127.0.0.1:{port}/openai/v1/models", folder, cpus=cpus)


def cloud_stub(folder: Path, trusted: Certificate, cpus: Sequence[int] = ()) -> Process:
    """The stub of Azure's services, not started yet."""
    port = free_port()
    command = (sys.executable, "-m", "benchmarks.load.stubs.cloud", str(port), trusted.server)
    return Process("cloud", command, f"https://localhost:{port}/", folder, cpus=cpus)


def agent_environment(folder: Path, trusted: Certificate, model: str, cloud: str) -> dict[str, str]:
    """The variables of an agent's process, with a workload identity as in a pod; nobody checks its token.

    As in prod, but that callers need no token, which only dev may do without, and that nothing is sent to
    Application Insights. Every call of the model is reserved and settled in the ledger, whose limit is never
    reached. The agent's queue is not the one that its topic delivers to, so it hears nothing of itself.
    """
    token = folder / "token"
    token.write_text("stub")
    return {
        "AGENT": AGENT,
        "ENVIRONMENT": "dev",
        "Authentication__Enabled": "false",
        "TokenBudget__Daily": _ENDLESS,
        "TokenBudget__Total": _ENDLESS,
        "PROMPTS": str(ROOT / "prompts" / AGENT),
        "LLMProvider__AzureOpenAI__Endpoint": model,
        "LLMProvider__AzureOpenAI__DeploymentName": _DEPLOYMENT,
        "CosmosDb__Endpoint": f"{cloud}/",
        "EventGrid__Endpoint": f"{cloud}/topics/{AGENT}",
        "Storage__QueueEndpoint": f"{cloud}/queues",
        "Storage__Queue": AGENT,
        "AZURE_AUTHORITY_HOST": cloud,
        "AZURE_TENANT_ID": "00000000-0000-0000-0000-000000000001",
        "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000002",
        "AZURE_FEDERATED_TOKEN_FILE": str(token),
        "SSL_CERT_FILE": str(trusted.trusted),
        "REQUESTS_CA_BUNDLE": str(trusted.trusted),
        "PYTHONUNBUFFERED": "1",
    }


def _agent(folder: Path, trusted: Certificate, model: str, cloud: str, cpus: Sequence[int]) -> Process:
    env = agent_environment(folder, trusted, model, cloud)
    return _application("app", "benchmarks.load.application", "readyz", folder=folder, env=env, cpus=cpus)


def _router(folder: Path, trusted: Certificate, model: str, cloud: str, cpus: Sequence[int]) -> Process:
    env = agent_environment(folder, trusted, model, cloud)
    return _application("router", "benchmarks.load.router", "", folder=folder, env=env, cpus=cpus)


def _application(
    name: str, module: str, ready: str, *, folder: Path, env: Mapping[str, str], cpus: Sequence[int]
) -> Process:
    """With the application's packages and no others."""
    port = free_port()
    python = environments.programs("app", environments.APPLICATION) / "python"
    command = (python, "-m", module)
    return Process(
        name, command, f"http://127.0.0.1:{port}/{ready}", folder, {**env, "PORT": str(port)}, cpus
    )


def _litellm(folder: Path, model: str, cpus: Sequence[int]) -> Process:
    """One worker and no database, with a key as every proxy has; its list of prices is the one it ships."""
    port, settings = free_port(), folder / "litellm.yaml"
    provider = {
        "model": f"azure/{_DEPLOYMENT}",
        "api_base": model,
        "api_key": "stub",
        "api_version": "2024-10-21",
    }
    # JSON is YAML.
    settings.write_text(
        json.dumps(
            {
                "model_list": [{"model_name": "bench", "litellm_params": provider}],
                "general_settings": {"master_key": _KEY},
            }
        )
    )
    program = environments.programs("litellm", environments.LITELLM) / "litellm"
    command = (
        program,
        "--config",
        settings,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--num_workers",
        "1",
    )
    env = {
        "HOME": os.environ.get("HOME", str(folder)),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "ERROR",
        "PYTHONUNBUFFERED": "1",
    }
    ready = f"http://127.0.0.1:{port}/health/liveliness"
    return Process("litellm", command, ready, folder, env, cpus, seconds=300)


def _chat_load(
    server: str, path: str, folder: Path, chat: Mapping[str, Any], headers: Mapping[str, str]
) -> Load:
    body = folder / f"chat-{chat['model']}.json"
    body.write_text(json.dumps(chat))
    return Load(f"{server}/{path}/chat/completions", body, {**_JSON, **headers})


def _execute_load(server: str, folder: Path) -> Load:
    """The first example of the agent's own OpenAPI document."""
    document = httpx.get(f"{server}/openapi.json").raise_for_status().json()
    body = folder / "execute.json"
    body.write_text(json.dumps(document["components"]["schemas"]["ExecuteRequest"]["examples"][0]))
    return Load(f"{server}/api/{AGENT}/execute", body, _JSON)


def _try(load: Load) -> bytes:
    """The answer; what does not answer once is not measured. Raises HTTPStatusError."""
    answer = httpx.post(load.url, content=load.body.read_bytes(), headers=load.headers, timeout=60)
    return answer.raise_for_status().content
