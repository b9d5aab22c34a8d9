"""A machine of one's own: names, addresses and a state folder that no other sandbox has."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from sandbox.config import Config
from sandbox.host import supervisor
from sandbox.host.cgroup import Cgroup
from sandbox.host.clear import clear
from sandbox.host.supervisor import Programs


@pytest.fixture
def machine() -> Iterator[Config]:
    """Coordinates whose every trace is removed afterwards. The path is short because sockets' must be."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it makes namespaces and cgroups")
    state = Path(tempfile.mkdtemp(prefix="sbx-"))
    config = Config(
        state=state,
        netns=f"sbx-test-{os.getpid()}",
        network=IPv4Network("10.79.0.0/16"),
        suffix="azure79.test",
    )
    yield config
    clear(config)
    shutil.rmtree(state)


@pytest.fixture
def supervised(machine: Config) -> Programs:
    Cgroup(machine.cgroup).create()
    supervisor.launch(machine)
    return Programs(machine, patience=5)
