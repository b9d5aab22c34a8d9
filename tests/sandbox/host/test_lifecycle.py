"""`sandbox up`, `down`, `reset`, `status`, `env`, `logs` as a user runs them, on a sandbox of one's own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.config import Config
from sandbox.host import mounts, netns, network, parts, session
from sandbox.host.cgroup import Cgroup
from sandbox.host.command import ip_json, run
from sandbox.host.supervisor import Programs

pytestmark = pytest.mark.live

_ROOT = Path(__file__).parents[3]


def _start(config: Config, *arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox.cli", *arguments],
        cwd=_ROOT,
        env={**os.environ, **config.environment(), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _sandbox(config: Config, *arguments: str, expect: int = 0, **more: str) -> str:
    process = _start(config, *arguments, **more)
    out, err = process.communicate(timeout=300)
    assert process.returncode == expect, out + err
    assert "Traceback" not in err
    return out if expect == 0 or "--json" in arguments else out + err


def _state(config: Config, expect: str) -> dict[str, str]:
    """Name -> state of the parts; the whole is in the state `expect`."""
    out = _sandbox(config, "status", "--json", expect=0 if expect == "running" else 1)
    found = json.loads(out)
    assert found["state"] == expect, found
    assert (found["heal"] is None) == (expect == "running")
    return {part["name"]: part["state"] for part in found["parts"]}


def _pids(config: Config) -> dict[str, int]:
    return {name: info["pid"] for name, info in Programs(config).details().items()}


def _traces(config: Config) -> list[str]:
    """Everything on this machine that bears the sandbox's marks."""
    found = [f"process {pid}" for pid in Cgroup(config.cgroup).pids() | _mentioning(config)]
    found += [f"namespace {name}" for name in netns.names() if name.startswith(config.netns)]
    found += [f"mount {path}" for path in mounts.below(config.state.resolve())]
    found += [f"link {row['ifname']}" for row in ip_json("link", "show", "dev", network.host_link(config))]
    first = str(config.network).rsplit(".", 2)[0]
    found += [
        f"route {row['dst']}" for row in ip_json("route", "show", "table", "all") if first in row["dst"]
    ]
    found += [f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(f"*/{config.cgroup}")]
    lines = Path("/etc/hosts").read_text().splitlines()
    found += [f"hosts {line}" for line in lines if config.suffix in line or config.netns in line]
    return found


def _mentioning(config: Config) -> set[int]:
    """Processes whose command or environment names the state folder, ourselves aside."""
    mark, found = str(config.state).encode(), set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes() or mark in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
    return found


def _rules() -> str:
    """The host's firewall."""
    return run(["iptables-save"]) + run(["nft", "list", "ruleset"])


def test_up_twice_then_down_leaves_nothing(machine: Config) -> None:
    rules = _rules()
    out = _sandbox(machine, "up")
    assert out.splitlines()[-1].startswith("up: the sandbox runs")
    assert "Next: " in out.splitlines()[-1]
    assert {"network", *parts.names()} <= _state(machine, "running").keys()
    _sandbox(machine, "up")

    while True:
        code, before, current = parts.code(), _pids(machine), session.path(machine).read_text()
        started = time.monotonic()
        _sandbox(machine, "up")
        seconds = time.monotonic() - started
        # Programs whose source somebody edits meanwhile are rightly restarted.
        if parts.code() == code:
            break
        _sandbox(machine, "up")
    assert seconds < 20
    assert _pids(machine) == before
    assert session.path(machine).read_text() == current

    exported = _sandbox(machine, "env")
    script = f"{exported}\naz account show --query environmentName --output tsv"
    assert run(["bash", "-c", script]).strip() == "AgentsSandbox"
    curl = 'curl -fsS "https://$ARM_METADATA_HOSTNAME/metadata/endpoints?api-version=2022-09-01"'
    assert "login.azure79.test" in run(["bash", "-c", f"{exported}\n{curl}"])
    assert "azure79.test" in Path("/etc/hosts").read_text()

    assert _traces(machine)
    _sandbox(machine, "down")
    assert _traces(machine) == []
    assert _rules() == rules
    assert (machine.state / "azure.db").exists()
    _sandbox(machine, "down")
    assert _state(machine, "down") == {}


def test_up_heals_what_was_killed(machine: Config) -> None:
    _sandbox(machine, "up")
    orphans = _pids(machine)
    os.kill(Programs(machine).pid(), signal.SIGKILL)
    _state(machine, "interrupted")
    assert "not running" in _sandbox(machine, "env", expect=1)
    _sandbox(machine, "up")
    _state(machine, "running")
    assert not set(orphans.values()) & {pid for pid in _pids(machine).values() if pid}
    assert all(session.birth(pid) is None for pid in orphans.values())

    run(["ip", "link", "del", network.host_link(machine)])
    assert _state(machine, "degraded")["network"] == "DOWN"
    kept = _pids(machine)
    _sandbox(machine, "up")
    _state(machine, "running")
    assert _pids(machine) == kept

    os.kill(Programs(machine).pid(), signal.SIGSTOP)
    assert _state(machine, "degraded") == {"supervisor": "HANGS"}
    _sandbox(machine, "up")
    _state(machine, "running")


def test_up_heals_what_hangs(machine: Config) -> None:
    """The process is there and takes connections, but never answers."""
    _sandbox(machine, "up")
    hung = _pids(machine)[parts.SERVER]
    os.kill(hung, signal.SIGSTOP)
    _sandbox(machine, "up")
    _state(machine, "running")
    assert _pids(machine)[parts.SERVER] != hung
    assert session.birth(hung) is None


def test_up_ends_well_after_being_killed_anywhere(machine: Config) -> None:
    for seconds in (0.6, 1.2, 2.5, 4, 6):
        process = _start(machine, "up")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    _sandbox(machine, "up")
    _state(machine, "running")
    down = _start(machine, "down")
    up = _start(machine, "up")
    for process in (down, up):
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err
    _sandbox(machine, "reset", "--yes")
    assert _traces(machine) == []
    assert not machine.state.exists()
    machine.state.mkdir()


def test_a_sandbox_that_is_down_is_told_without_a_traceback(machine: Config) -> None:
    assert "not running" in _sandbox(machine, "env", expect=1)
    assert "no log of 'azure'" in _sandbox(machine, "logs", "azure", expect=1)
    assert "cannot name a program" in _sandbox(machine, "logs", "../lock", expect=1)
    assert _state(machine, "down") == {}
    assert _traces(machine) == []


def test_what_cannot_be_used_is_refused_and_nothing_changed(machine: Config) -> None:
    out = _sandbox(machine, "up", expect=1, AGENTS_SANDBOX_NETWORK="10.0.0.0/8")
    assert "AGENTS_SANDBOX_NETWORK=10.0.0.0/8" in out
    file = machine.state / "file"
    file.write_text("")
    assert "cannot be used" in _sandbox(machine, "up", expect=1, AGENTS_SANDBOX_STATE=str(file))
    assert "holds other things" in _sandbox(machine, "up", expect=1)
    assert "holds other things" in _sandbox(machine, "reset", "--yes", expect=1)
    assert file.exists()
    assert _traces(machine) == []


def test_reset_asks_first(machine: Config) -> None:
    (machine.state / "lock").touch()
    process = _start(machine, "reset")
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert machine.state.exists()
