"""What a restored environment is judged by, beside its data: rights, wire conformance, policies, exposure."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from drills.drill import Outcome, Scene
from drills.exposure import opened, survey
from drills.report import Check
from drills.shell import CommandError, Done

#: Every identity tries every operation, and every role is taken away in turn.
_PRIVILEGES = ("tests/live/test_least_privilege.py",)
#: What was sent to Resource Manager is what Microsoft's types describe.
_CONFORMANCE = (
    "tests/live/test_conformance.py::test_every_body_is_right",
    "tests/live/test_conformance.py::test_every_body_survives_the_management_models",
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (?P<what>.*)$", re.MULTILINE)
_PASSED = re.compile(r"(\d+) passed")
_SKIPPED = re.compile(r"^SKIPPED \[\d+\] \S+ (?P<why>.*)$", re.MULTILINE)
_SUITE_SECONDS = 900.0


def judge(scene: Scene, outcome: Outcome) -> list[Check]:
    """One check after the other; one that cannot be made fails."""
    checks: dict[str, Callable[[str], Check]] = {
        "nothing is open that was not": lambda name: _exposure(name, scene),
        "least privilege": lambda name: _suite(name, scene, _PRIVILEGES),
        "conformance": lambda name: _suite(name, scene, _CONFORMANCE),
        "deployed as declared, by the policies": lambda name: _policies(name, scene, outcome.settings),
    }
    return [_made(name, make) for name, make in checks.items()]


def _made(name: str, make: Callable[[str], Check]) -> Check:
    try:
        return make(name)
    except CommandError as error:
        return Check(name=name, looked_at="", problems=[str(error)])


def _exposure(name: str, scene: Scene) -> Check:
    found = survey(scene.shell, scene.stack.names.resource_group)
    looked_at = f"{len(found)} resources with a network"
    return Check(name=name, looked_at=looked_at, problems=opened(scene.surveyed, found))


def _suite(name: str, scene: Scene, tests: tuple[str, ...]) -> Check:
    used = scene.stack.used()
    told = {"AGENTS_COSMOS_ACCOUNT": used["cosmos"], "AGENTS_SQL_DATABASE": used["sql"]}
    shell = replace(scene.shell, env={**scene.shell.env, **told})
    command = (sys.executable, "-m", "pytest", "--as-deployed", "-q", "-n0", "-p", "no:cacheprovider", *tests)
    done = shell.run(*command, check=False, timeout=_SUITE_SECONDS)
    return read_suite(name, done)


def read_suite(name: str, done: Done) -> Check:
    """What pytest says. Tests that all leave themselves out, for want of what they need, say why."""
    passed, skipped = _PASSED.search(done.out), _SKIPPED.search(done.out)
    looked_at = f"{passed[1] if passed else 0} tests"
    problems = [match["what"] for match in _FAILED.finditer(done.out)]
    if done.code == 0 and passed is None and skipped is not None:
        return Check(name=name, looked_at=looked_at, problems=[], left_out=skipped["why"])
    if not problems and (done.code != 0 or passed is None):
        problems = [(done.out + done.err)[-2000:]]
    return Check(name=name, looked_at=looked_at, problems=problems)


def _policies(name: str, scene: Scene, settings: Path | None) -> Check:
    where = () if settings is None else ("--config-file", str(settings))
    wanted = ("--policy-pack", "infra/policy", "--expect-no-changes", "--diff", "--color", "never")
    done = scene.stack.pulumi("preview", *wanted, *where, check=False)
    problems = [] if done.code == 0 else [(done.out + done.err)[-3000:]]
    return Check(name=name, looked_at="a preview with the policy pack", problems=problems)
