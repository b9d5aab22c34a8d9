"""What a restored environment is judged by, beside its data: rights, wire conformance, policies, exposure."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from drills.drill import Outcome, Scene
from drills.exposure import opened, survey
from drills.report import Check
from drills.shell import CommandError

#: Every identity tries every operation, and every role is taken away in turn.
_PRIVILEGES = ("tests/live/test_least_privilege.py",)
#: What was sent to Resource Manager is what Microsoft's types describe.
_CONFORMANCE = (
    "tests/live/test_conformance.py::test_every_body_is_right",
    "tests/live/test_conformance.py::test_every_body_survives_the_management_models",
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (?P<what>.*)$", re.MULTILINE)
_COUNT = re.compile(r"(\d+) passed")
_SUITE_SECONDS = 900.0
_NO_CHANGES_CODE = 0


def judge(scene: Scene, outcome: Outcome) -> list[Check]:
    """One check after the other; one that cannot be made fails."""
    return [
        _made("nothing is open that was not", lambda: _exposure(scene)),
        _made("least privilege", lambda: _suite(scene, _PRIVILEGES)),
        _made("conformance", lambda: _suite(scene, _CONFORMANCE)),
        _made(
            "declared and deployed agree, and keep the policies", lambda: _policies(scene, outcome.settings)
        ),
    ]


def _made(name: str, make: Callable[[], tuple[str, list[str]]]) -> Check:
    try:
        looked_at, problems = make()
    except CommandError as error:
        looked_at, problems = "", [str(error)]
    return Check(name=name, looked_at=looked_at, problems=problems)


def _exposure(scene: Scene) -> tuple[str, list[str]]:
    found = survey(scene.shell, scene.stack.names.resource_group)
    return f"{len(found)} resources with a network", opened(scene.surveyed, found)


def _suite(scene: Scene, tests: tuple[str, ...]) -> tuple[str, list[str]]:
    used = scene.stack.used()
    shell = scene.shell
    environment = {
        **shell.env,
        "AGENTS_COSMOS_ACCOUNT": used["cosmos"],
        "AGENTS_SQL_DATABASE": used["sql"],
    }
    command = (sys.executable, "-m", "pytest", "--as-deployed", "-q", "-n0", "-p", "no:cacheprovider", *tests)
    done = type(shell)(environment).run(*command, check=False, timeout=_SUITE_SECONDS)
    passed = _COUNT.search(done.out)
    problems = [match["what"] for match in _FAILED.finditer(done.out)]
    if not problems and (done.code != 0 or passed is None):
        problems = [(done.out + done.err)[-2000:]]
    return f"{passed[1] if passed else 0} tests", problems


def _policies(scene: Scene, settings: Path | None) -> tuple[str, list[str]]:
    where = () if settings is None else ("--config-file", str(settings))
    wanted = ("--policy-pack", "infra/policy", "--expect-no-changes", "--diff", "--color", "never")
    done = scene.stack.pulumi("preview", *wanted, *where, check=False)
    problems = [] if done.code == _NO_CHANGES_CODE else [(done.out + done.err)[-3000:]]
    return "a preview with the policy pack", problems
