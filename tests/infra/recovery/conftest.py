"""The program's data on the sandbox's own Cosmos DB and SQL, through a real engine; no cluster."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.arm.errors import ArmError
from sandbox.arm.known import catalogue
from sandbox.azure import (
    authorization,
    deployments,
    documentdb,
    insights,
    managedidentity,
    operationalinsights,
    resources,
    sql,
)
from sandbox.azure.sql import estate, programs
from sandbox.azure.sql.gateway import Gateway
from sandbox.config import Config
from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.provider import AzureNative
from sandbox.toolchain.toolchain import Toolchain
from tests.infra.engine import mark_engine, project, pulumi_path
from tests.infra.recovery.stack import Stack
from tests.infra.recovery.stamp import Stamp
from tests.sandbox.azure import fakes
from tests.sandbox.engine.conftest import Project, made_project
from tests.sandbox.served import Served, served

__all__ = ["project", "pulumi_path"]
MODULES = [
    resources,
    authorization,
    managedidentity,
    deployments,
    documentdb,
    insights,
    operationalinsights,
    sql,
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_engine(items)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    genuine = Config()
    if not (genuine.cache / "bin" / "cosmosdb-server").exists():
        pytest.skip("needs the toolchain's cosmosdb-server: run `make up` once")
    try:
        programs.program("postgres")
    except ArmError as error:
        pytest.skip(error.message)
    # A short path, which PostgreSQL's user can reach: unix sockets lie below it.
    state = Path(tempfile.mkdtemp(prefix="data-"))
    state.chmod(0o711)
    Toolchain(genuine.cache / "bin", {}, {}, genuine.cache).save(Config(state=state))
    monkeypatch.setattr(estate, "_gateway", lambda services: Gateway(services, "127.0.0.1", 0))
    try:
        with served(state, monkeypatch, catalogue(), MODULES) as found:
            try:
                yield found
            finally:
                supervisor = found.cloud.services.supervisor
                assert isinstance(supervisor, fakes.Supervisor)
                supervisor.end()
    finally:
        shutil.rmtree(state, ignore_errors=True)


@pytest.fixture
def stack(cloud: Served, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    project.attach(AzureNative(journal=Journal(tmp_path / "creations.json")))
    return Stack(cloud, project)


@pytest.fixture
def stamp(cloud: Served, stack: Stack, pulumi_path: str, tmp_path: Path) -> Iterator[Stamp]:
    """Another program on the same cloud."""
    (tmp_path / "stamp").mkdir()
    for made in made_project(tmp_path / "stamp", pulumi_path):
        made.attach(AzureNative(journal=Journal(tmp_path / "stamps-creations.json")))
        yield Stamp(cloud, made, stack.environment)
