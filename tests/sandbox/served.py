"""A cloud behind the real HTTPS server on loopback; every name under azure.test leads there."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from azure.identity import ClientSecretCredential

from sandbox.arm.catalogue import Catalogue
from sandbox.cloud import Cloud, Outside
from sandbox.config import SUBSCRIPTION_ID, TENANT_ID, Config
from sandbox.host import ca
from sandbox.server import serve
from tests.checkout import ROOT
from tests.sandbox.azure import fakes
from tests.sandbox.signing import shared_key


@dataclass(frozen=True)
class Served:
    cloud: Cloud
    state: Path
    port: int
    loop: asyncio.AbstractEventLoop

    def command(self, name: str, /, **given: Any) -> Any:
        """Have the cloud do something, as `sandbox.control` does for whoever runs the sandbox."""

        async def run() -> Any:
            answer = self.cloud.commands()[name](given)
            return await answer if inspect.isawaitable(answer) else answer

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(60)

    @property
    def deployer(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.state / "deployer.json").read_text())
        return found

    @property
    def environment(self) -> dict[str, str]:
        """What programs that act as the deployer have to be told; they find the project's modules as well."""
        keys = self.deployer
        return {
            "PYTHONPATH": str(ROOT),
            "ARM_METADATA_HOSTNAME": "management.azure.test",
            "ARM_DISABLE_INSTANCE_DISCOVERY": "true",
            "ARM_TENANT_ID": keys["tenantId"],
            "ARM_SUBSCRIPTION_ID": keys["subscriptionId"],
            "ARM_CLIENT_ID": keys["clientId"],
            "ARM_CLIENT_SECRET": keys["clientSecret"],
            **{name: os.environ[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")},
        }

    @property
    def authority(self) -> str:
        return f"https://login.azure.test/{TENANT_ID}"


def credential(cloud: Served) -> ClientSecretCredential:
    """The deployer's."""
    keys = cloud.deployer
    return ClientSecretCredential(
        keys["tenantId"],
        keys["clientId"],
        keys["clientSecret"],
        authority="https://login.azure.test",
        disable_instance_discovery=True,
    )


def client(cloud: Served, kind: Any) -> Any:
    """A management client of the SDK, of a class such as `StorageManagementClient`; it asks once."""
    return kind(
        credential(cloud),
        SUBSCRIPTION_ID,
        base_url="https://management.azure.test",
        credential_scopes=["https://management.azure.test/.default"],
        retry_total=0,
        polling_interval=0,
    )


@contextmanager
def served(
    state: Path, monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue, modules: list[ModuleType]
) -> Iterator[Served]:
    """Brought up, trusted by clients of this process, and taken down again."""
    config = Config(state=state, suffix="azure.test")
    ca.ensure(config, os.environ)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    outside = Outside(
        supervisor=fakes.Supervisor(),
        hosts=fakes.Hosts(),
        authority=ca.Authority(config),
        trust=ssl.create_default_context(cafile=str(config.ca_bundle)),
        local=f"127.0.0.1:{port}",
    )
    with shared_key():
        cloud = Cloud(config, outside, catalogue, modules)
    server = serve(cloud, "127.0.0.1", port)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop, server.serve([listener])), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not cloud.ready:
        assert thread.is_alive(), "the server ended at once"
        assert time.monotonic() < deadline, "the server did not start"
        thread.join(0.01)
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(config.ca_bundle))
    _resolve_to(monkeypatch, port)
    try:
        yield Served(cloud, state, port, loop)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server did not end"


def _run(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(work)


def _resolve_to(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    genuine = socket.getaddrinfo

    def getaddrinfo(host: Any, asked: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if str(name).endswith("azure.test"):
            return genuine("127.0.0.1", port, *args, **kwargs)
        return genuine(host, asked, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
