"""Commands on the sandbox's internet: other addresses, other names, the same files and user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.config import Config
from sandbox.host import internet, mounts, netns, network
from sandbox.host.errors import HostError
from sandbox.host.hosts import HostNames

pytestmark = pytest.mark.live


def _said(config: Config, *command: str) -> str:
    done = subprocess.run(
        internet.command(config, command), capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout


def test_a_command_has_other_names_and_addresses(machine: Config, tmp_path: Path) -> None:
    network.create(machine)
    HostNames(machine).publish("kv.azure79.test")
    assert _said(machine, "cat", "/etc/hosts") == "127.0.0.1 localhost\n"
    assert _said(machine, "cat", "/etc/resolv.conf") == "nameserver 10.79.0.1\n"
    assert "203.0.113.10/24" in _said(machine, "ip", "-4", "address", "show")
    here = subprocess.run(
        internet.command(machine, ["pwd"]), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert here.stdout == f"{tmp_path}\n"


def test_names_that_come_while_it_runs_are_not_its_own(machine: Config) -> None:
    """The host replaces its file with every new name."""
    network.create(machine)
    script = "import sys; print(flush=True); sys.stdin.readline(); print(open('/etc/hosts').read())"
    command = internet.command(machine, [sys.executable, "-S", "-c", script])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        running.stdout.readline()
        HostNames(machine).publish("late.azure79.test")
        out, _ = running.communicate("\n", timeout=20)
    assert "late" not in out
    assert mounts.below(machine.state.resolve()) == []


def test_exit_codes_and_arguments_are_the_commands_own(machine: Config) -> None:
    network.create(machine)
    done = subprocess.run(internet.command(machine, ["sh", "-c", 'exit "$1"', "x", "7"]), check=False)
    assert done.returncode == 7
    assert _said(machine, "printf", "%s|", "a b", "$c", "--d") == "a b|$c|--d|"


def test_without_a_sandbox_there_is_no_internet(machine: Config) -> None:
    with pytest.raises(HostError, match="is not running"):
        internet.command(machine, ["true"])


def test_it_goes_with_the_sandbox_and_is_no_node(machine: Config) -> None:
    network.create(machine)
    name = network.internet_netns(machine)
    assert netns.exists(name)
    assert network.nodes(machine) == []
    network.create(machine)
    network.remove(machine)
    assert not netns.exists(name)
