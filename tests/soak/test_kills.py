"""`make up` survives being killed at any moment, and heals whatever was killed beneath it.

The moments are drawn from a fixed seed, one in each tenth of a bring-up from nothing, whose length is
measured first. SOAK_SEED draws others.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.host.supervisor import Programs
from tests.soak.own import OwnSandbox, at_work, coordinates

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

_MOMENTS = 10
_SEED = int(os.environ.get("SOAK_SEED", "3"))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSandbox]:
    if os.geteuid() != 0:
        pytest.skip("needs root: it looks into the sandbox's supervisor and kills its programs")
    sandbox = OwnSandbox(coordinates(), tmp_path_factory.mktemp("runs"))
    sandbox.must("uv run sandbox reset --yes")
    yield sandbox
    sandbox.must("uv run sandbox reset --yes")


@dataclass(frozen=True)
class Whole:
    """What a bring-up that nothing disturbs takes and makes."""

    seconds: float
    urns: list[str]
    resources: list[str]
    programs: list[str]


@pytest.fixture(scope="module")
def whole(own: OwnSandbox, table: list[tuple[str, ...]]) -> Whole:
    run = own.must()
    table.append(("none", f"a bring-up from nothing: {run.seconds:.0f} s", ""))
    return Whole(run.seconds, *_made(own))


def _made(own: OwnSandbox) -> tuple[list[str], list[str], list[str]]:
    """What Pulumi, Resource Manager and the supervisor say there is."""
    user = own.user()
    deployment = user.pulumi("stack", "export", "-s", "dev").json()["deployment"]
    assert not deployment.get("pending_operations"), deployment["pending_operations"]
    programs = own.programs()
    assert {info["statename"] for info in programs.values()} == {"RUNNING"}, programs
    return (
        sorted(resource["urn"] for resource in deployment["resources"]),
        sorted(resource["id"].lower() for resource in user.az("resource", "list")),
        sorted(programs),
    )


@pytest.mark.parametrize("tenth", range(_MOMENTS))
def test_make_up_ends_well_after_a_kill(
    own: OwnSandbox, whole: Whole, table: list[tuple[str, ...]], tenth: int
) -> None:
    within = random.Random(_SEED * 100 + tenth).random()  # noqa: S311
    moment = (tenth + within) / _MOMENTS * whole.seconds
    own.must("uv run sandbox reset --yes")
    while (killed := own.run(kill_after=moment)).code == 0:
        moment *= 0.9  # it was quicker than the one that was measured
        own.must("uv run sandbox reset --yes")
    row = (f"{moment:.1f} s", at_work(killed.output))
    healed = own.run()
    table.append((*row, f"{healed.seconds:.0f} s" + ("" if healed.code == 0 else ": FAILED")))
    assert healed.code == 0, healed.output[-6000:]
    assert "The notification agent answered" in healed.output
    assert _made(own) == (whole.urns, whole.resources, whole.programs)


@pytest.mark.parametrize("victim", ["azure", "kubelet", "containerd", "supervisor"])
def test_make_up_heals_a_running_sandbox(
    own: OwnSandbox, whole: Whole, table: list[tuple[str, ...]], victim: str
) -> None:
    own.must()
    pids = {name: int(info["pid"]) for name, info in own.programs().items()}
    pids["supervisor"] = Programs(own.config).pid()
    name = next(name for name in sorted(pids) if name == victim or name.endswith(f"-{victim}"))
    os.kill(pids[name], signal.SIGKILL)
    healed = own.run()
    table.append(("running", name, f"{healed.seconds:.0f} s" + ("" if healed.code == 0 else ": FAILED")))
    assert healed.code == 0, healed.output[-6000:]
    assert "The notification agent answered" in healed.output
    assert _made(own) == (whole.urns, whole.resources, whole.programs)
