"""A recovery that is disturbed at a random moment is finished by the same command again.

Pulumi itself is killed, or a pod, or the programs of a node, while data is restored to a moment and agents
move to the copies. Each seed draws victim and moment; `SEEDS=50` runs so many, from `SOAK_SEED` on. No run
begins once `KILLS_SECONDS` have passed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest

from drills.agents import Agents
from drills.content import Restored, judge, read_back
from drills.journal import Journal, Sentinel
from drills.leftovers import remove_copies
from drills.putright import put_right
from drills.shell import ROOT, Shell
from drills.stack import Stack
from drills.timeline import Timeline
from drills.writing import Writers
from infra.settings.restores import written
from sandbox.config import Config
from sandbox.host.supervisor import Programs
from tests.sandboxed import Sandbox

_SEEDS = int(os.environ.get("SEEDS", "4"))
_FIRST = int(os.environ.get("SOAK_SEED", "0"))
_SECONDS = float(os.environ.get("KILLS_SECONDS", "7200"))
_VICTIMS = ("pulumi", "pod", "node")
_UP_SECONDS = 900

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


@dataclass(frozen=True)
class World:
    """`quiet` is the second after which nothing was written for as many seconds as there are seeds."""

    stack: Stack
    agents: Agents
    sentinels: list[Sentinel]
    quiet: datetime
    seconds: float
    deadline: float

    def settings(self, seed: int) -> tuple[datetime, Path]:
        """Each run restores to a second of its own, and so to copies of its own."""
        as_of = self.quiet + timedelta(seconds=1 + seed - _FIRST)
        return as_of, self.stack.settings(restores=[{"as_of": written(as_of)}])


@pytest.fixture(scope="module")
def world(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Sentinels before and after a pause; the length of a restore that nothing disturbs is measured."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it kills the sandbox's programs")
    folder, timeline = tmp_path_factory.mktemp("kills"), Timeline()
    stack = Stack(Shell(sandbox.env), timeline, folder)
    put_right(stack)
    remove_copies(stack)
    agents = Agents(str(stack.outputs["agentsUrl"]), sandbox.env["SSL_CERT_FILE"])
    with Journal(folder / "journal.jsonl") as journal:
        writers = Writers(agents, journal, f"kills-{uuid.uuid4().hex[:8]}", timeline.now)
        for _ in range(4):
            writers.one()
        time.sleep(1.5)
        quiet = timeline.now().replace(microsecond=0)
        pause = quiet + timedelta(seconds=_SEEDS + 3) - timeline.now()
        time.sleep(pause.total_seconds())
        for _ in range(2):
            writers.one()
    found = [one for one in writers.sentinels if one.acknowledged]
    assert len(found) == 6
    undisturbed = stack.settings(restores=[{"as_of": written(quiet)}])
    began = time.monotonic()
    stack.up(settings=undisturbed)
    seconds = time.monotonic() - began
    yield World(stack, agents, found, quiet, seconds, time.monotonic() + _SECONDS)
    put_right(stack)
    remove_copies(stack)
    agents.close()


@pytest.mark.parametrize("seed", range(_FIRST, _FIRST + _SEEDS))
def test_a_disturbed_recovery_is_finished_by_the_same_command(
    world: World, table: list[tuple[str, ...]], seed: int
) -> None:
    if time.monotonic() > world.deadline:
        pytest.skip(f"{_SECONDS:.0f} s are over (KILLS_SECONDS)")
    draw = random.Random(seed)  # noqa: S311
    victim, moment = draw.choice(_VICTIMS), draw.uniform(0, world.seconds)
    as_of, settings = world.settings(seed)
    first = _disturbed(world.stack, settings, victim, moment, draw)
    began = time.monotonic()
    world.stack.pulumi("cancel", "--yes", check=False)
    done = world.stack.up(settings=settings, check=False)
    seconds = time.monotonic() - began
    outcome = "whole" if done.code == 0 else f"FAILED: {done.code}"
    table.append((str(seed), victim, f"{moment:.1f} s", str(first), f"{seconds:.0f} s, {outcome}"))
    assert done.code == 0, (done.out + done.err)[-6000:]
    _check(world, as_of, settings)
    remove_copies(world.stack)


def _disturbed(stack: Stack, settings: Path, victim: str, moment: float, draw: random.Random) -> int:
    """Start `pulumi up`, kill, and let what lives come to its end; its exit code."""
    command = ("pulumi", "--non-interactive", "up", "-s", stack.name, "--yes", "--skip-preview")
    process = subprocess.Popen(
        [*command, "--config-file", str(settings)],
        cwd=ROOT,
        env=dict(stack.shell.env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        # It may be over before the moment comes.
        return process.wait(moment)
    match victim:
        case "pulumi":
            _kill_group(process)
        case "pod":
            _kill_pod(stack, draw)
        case _:
            _kill_node(draw)
    return process.wait(_UP_SECONDS)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """The engine, the program and the language host; the providers are the sandbox's."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _kill_pod(stack: Stack, draw: random.Random) -> None:
    of_agents = ("-n", stack.names.namespace, "-l", "app.kubernetes.io/part-of=agents", "-o", "name")
    pods = sorted(stack.shell.kubectl("get", "pods", *of_agents).split())
    where = ("-n", stack.names.namespace, "--grace-period=0", "--force")
    # It may have ended by itself meanwhile.
    stack.shell.run("kubectl", "delete", draw.choice(pods), *where, "--wait=false", check=False)


def _kill_node(draw: random.Random) -> None:
    """A node's kubelet and container runtime at once, as when its machine starts anew."""
    details = Programs(Config()).details()
    node = draw.choice(sorted(name.removesuffix("-kubelet") for name in details if name.endswith("-kubelet")))
    for name in (f"{node}-kubelet", f"{node}-containerd"):
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            os.kill(int(details[name]["pid"]), signal.SIGKILL)


def _check(world: World, as_of: datetime, settings: Path) -> None:
    """The data are as of the moment, the state is whole, and nothing is left to do."""
    now = world.stack.timeline.now()
    answers = read_back(world.agents, world.sentinels)
    judgement = judge(world.sentinels, answers, failed=as_of, restored=Restored(as_of, now, now))
    assert judgement.problems == []
    assert (judgement.due, judgement.newer) == (4, 2)
    # What a killed engine was about to create stays noted in the state, with a warning at each run, until it
    # has looked: it is all there, or the second update would not have ended.
    looking = ("--yes", "--skip-preview", "--clear-pending-creates", "--config-file", str(settings))
    if _pending(world.stack):
        world.stack.pulumi("refresh", *looking)
    assert _pending(world.stack) == []
    world.stack.pulumi("preview", "--expect-no-changes", "--config-file", str(settings))


def _pending(stack: Stack) -> list[str]:
    deployment = json.loads(stack.pulumi("stack export").out)["deployment"]
    return [one["resource"]["urn"] for one in deployment.get("pending_operations") or []]
