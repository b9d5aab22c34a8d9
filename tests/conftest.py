"""Fixtures of the whole suite. The sandbox is brought up once per run, and dev is deployed on it."""

from __future__ import annotations

import gc
from pathlib import Path

import hypothesis
import pytest

from tests.sandboxed import Sandbox, sandbox_command, user_environment

# Azure's SDKs and Pulumi's leave a million objects that stay. With Python's threshold of 700 new objects,
# looking for cycles among them took two thirds of the time that tests of the whole program take.
gc.set_threshold(50_000, 10, 10)

# How long an example takes depends on the machine and what else it does.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """What was imported stays: it is not looked through again."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--as-deployed",
        action="store_true",
        help="judge the sandbox as it is: bring nothing up, and deploy nothing (what a drill has restored)",
    )


@pytest.fixture(scope="session")
def bare_sandbox(pytestconfig: pytest.Config) -> Sandbox:
    """A running sandbox; nothing is promised of what is deployed on it."""
    if not pytestconfig.getoption("as_deployed"):
        sandbox_command("up")
    return Sandbox(user_environment())


@pytest.fixture(scope="session")
def sandbox(pytestconfig: pytest.Config, bare_sandbox: Sandbox) -> Sandbox:
    """A running sandbox with the dev stack deployed, and kubectl signed in to its cluster."""
    if not pytestconfig.getoption("as_deployed"):
        sandbox_command("deploy")
    bare_sandbox.az(
        "aks", "get-credentials", "-g", "rg-agents-dev", "-n", "aks-agents-dev", "--overwrite-existing"
    )
    bare_sandbox.run("kubelogin", "convert-kubeconfig", "-l", "azurecli")
    return bare_sandbox


#: Tests that serve the local Azure over HTTPS to official clients, or draw hundreds of bodies; simulations.
_SLOW = (
    "app/api/test_openapi.py",
    "app/events/",
    "app/llm/test_budget_properties.py",
    "app/llm/test_providers.py",
    "app/llm/test_router.py",
    "app/llm/test_end_to_end.py",
    "app/store/",
    "benchmarks/",
    "sandbox/azure",
    "sandbox/arm/test_sdks.py",
    "sandbox/arm/test_kill.py",
    "sandbox/entra/test_federation.py",
    "sandbox/entra/test_login.py",
    "conformance/test_generated_bodies.py",
    "conformance/test_program_bodies.py",
    "infra/azure/",
    "infra/graph/",
    "infra/recovery/",
    "infra/test_republishing.py",
    "infra/observability/test_mutations.py",
    "workflows/test_drill_blocks.py",
)


#: Folders whose tests share what is dear to start: a control plane, an engine.
_TOGETHER = ("sandbox/engine/kubernetes", "sandbox/aks/certmanager", "infra/azure")


def pytest_itemcollected(item: pytest.Item) -> None:
    place = item.path.relative_to(Path(__file__).parent).as_posix()
    if place.startswith(_SLOW):
        item.add_marker(pytest.mark.slow)
    item.add_marker(pytest.mark.xdist_group(_group(item, place)))


def _group(item: pytest.Item, place: str) -> str:
    """What one worker runs in one go: all that shares the sandbox or the machine's network, else a file."""
    if item.get_closest_marker("live") or item.get_closest_marker("soak"):
        return "machine"
    return next((folder for folder in _TOGETHER if place.startswith(folder)), place)
