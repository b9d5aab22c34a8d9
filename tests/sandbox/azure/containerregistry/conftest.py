"""Registries with their real backends behind the data plane, on a loopback HTTPS server."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.azure import containerregistry
from sandbox.azure.containerregistry import naming
from sandbox.azure.containerregistry.registries import RegistryHandler
from sandbox.azure.dataplane import find
from sandbox.config import Config
from tests.sandbox.azure import fakes
from tests.sandbox.azure.conftest import World, _resolve_to
from tests.sandbox.azure.processes import Server

ACTION = "Microsoft.ContainerRegistry/registries/"
HOST = "acragentsdev.azurecr.azure.test"


class Registries:
    """The services, the server they run on, and one registry."""

    def __init__(self, world: World, server: Server, supervisor: fakes.Supervisor) -> None:
        self.world = world
        self.server = server
        self.supervisor = supervisor

    def put(self, name: str = "acragentsdev", **properties: object) -> None:
        body = {"location": "westeurope", "sku": {"name": "Basic"}, "properties": properties}
        path = f"{naming.TYPE}/{name}"
        self.server.call(self.world.aput(RegistryHandler, path, body))

    def delete(self, name: str = "acragentsdev") -> None:
        registry = find(self.world.store, naming.TYPE, name)
        assert registry is not None
        self.server.call(self.world.adelete(list(containerregistry.HANDLERS), registry))

    def grant(self, who: str, *actions: str) -> None:
        self.world.rbac.grant(who, *(ACTION + action for action in actions), data=False)


@pytest.fixture
def state() -> Iterator[Path]:
    """A short path: unix sockets lie below it."""
    folder = Path(tempfile.mkdtemp(prefix="acr-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def registries(
    world: World, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Registries]:
    supervisor = fakes.Supervisor()
    config = Config(state=state, cache=tmp_path / "cache")
    world.services = dataclasses.replace(world.services, config=config, supervisor=supervisor)
    authority = world.services.ca
    assert isinstance(authority, fakes.Authority)
    config.ca_certificate.parent.mkdir(parents=True)
    config.ca_certificate.write_text(authority.pem)
    config.ca_bundle.write_text(authority.pem)
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(config.ca_bundle))
    containerregistry.mount(world.services)
    server = Server(world.router, authority, ("*.azurecr.azure.test",), tmp_path)
    _resolve_to(monkeypatch, server.port)
    yield Registries(world, server, supervisor)
    server.call(containerregistry.stop(world.services))
    server.close()
    supervisor.end()
