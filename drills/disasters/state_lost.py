"""The Pulumi state is lost, and built again while the agents serve: nobody may notice."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from drills import kept_state, same
from drills.drill import Drill, Outcome, Scene
from drills.figures import answered_again
from drills.project import copied
from drills.report import Check
from drills.shell import CommandError
from drills.stack import Stack

_LOAD_SECONDS = 5
#: Each round finds what only the one before made known. More than this means that it goes round in circles.
_ROUNDS = 10
#: Exit codes of `infra.recovery.adopt`.
_FOUND, _NOTHING = 0, 1
_IMPORT_SECONDS = 1200.0
_UPSERT = {"PULUMI_K8S_UPSERT_EXISTING_OBJECTS": "true"}


class StateLost(Drill):
    """It is lost when it is taken away; RTO is of callers, who are to be answered throughout."""

    name = "state-lost"
    broken = (
        "The stack and its state are taken away (`pulumi stack rm --force --preserve-config`) under load."
    )
    restored_by = (
        "`pulumi stack import` of the backup's copy, or `infra.recovery.adopt` and `pulumi import` until "
        "nothing is left, then `pulumi up`"
    )
    rto = 0.0
    azure = ()

    def play(self, scene: Scene) -> Outcome:
        # `pulumi stack init` and `import` may write settings: into a copy, not into the checkout.
        shell = copied(scene.stack.shell, scene.stack.folder / "project")
        stack = Stack(shell, scene.timeline, scene.stack.folder, scene.stack.name)
        before = same.identities(kept_state.keep(scene.stack))
        with scene.writers:
            time.sleep(_LOAD_SECONDS)
            failed = scene.timeline.now()
            with scene.timeline.step(f"pulumi stack rm -s {stack.name} --force --preserve-config"):
                stack.pulumi("stack rm", "--force", "--preserve-config", "--yes")
            stack.pulumi("stack init")
            if same.identities(stack.pulumi("stack export").out):
                raise RuntimeError("the stack still has its state: nothing was broken")
            build_again(stack)
            time.sleep(_LOAD_SECONDS)
        after = same.identities(stack.pulumi("stack export").out)
        check = Check(
            name="nothing was replaced or deleted",
            looked_at=f"{len(before)} resources",
            problems=same.differences(before, after),
        )
        if not check.problems:
            kept_state.forget(scene.stack)
        failed = scene.writers.unanswered_since(failed) or failed
        return Outcome(failed, answered_again(scene.writers.sentinels, failed), checks=(check,))


def build_again(stack: Stack) -> None:
    """From the copy that the environment's backup stack has, where there is one; else from what is in Azure.

    Raises CommandError, and RuntimeError if it comes to no end.
    """
    listed = json.loads(stack.shell.run("pulumi", "stack", "ls", "--json").out)
    if any(one["name"] == f"{stack.name}-backup" for one in listed):
        _from_copy(stack)
    else:
        _from_azure(stack)


def _from_copy(stack: Stack) -> None:
    with stack.timeline.step("the state is fetched from the backup, and imported"):
        file = _written(stack, "fetched.json", _module(stack, "infra.recovery.state", "fetch"))
        stack.pulumi("stack import", "--file", str(file))
    stack.up("--refresh")


def _from_azure(stack: Stack) -> None:
    for number in range(1, _ROUNDS + 1):
        with stack.timeline.step(f"round {number}: adopt, import, settle"):
            found = _module(stack, "infra.recovery.adopt")
            if found is None:
                break
            file = _written(stack, "import.json", found)
            given = ("--yes", "--protect=false", "--generate-code=false", "--file", str(file))
            stack.pulumi("import", *given)
            exported = stack.pulumi("stack export").out
            settled = _written(stack, "settled.json", _module(stack, "infra.recovery.settle", stdin=exported))
            stack.pulumi("stack import", "--file", str(settled))
    else:
        raise RuntimeError(f"after {_ROUNDS} rounds there is still something to import")
    stack.sign_in()
    with stack.timeline.step("Helm forgets that it installed cert-manager"):
        stack.shell.kubectl("delete", "secret", "-n", "cert-manager", "-l", "owner=helm,name=cert-manager")
    stack.up(variables=_UPSERT)
    # The provider's inputs hold the variable until an update without it.
    stack.up()


def _module(stack: Stack, module: str, *verb: str, stdin: str | None = None) -> str | None:
    """What it prints; None when it has found nothing more. Raises CommandError."""
    # As `uv run python -m` has it; uv itself would install the copy in place of the checkout.
    command = (sys.executable, "-m", module, *verb, "--stack", stack.name)
    done = stack.shell.run(*command, check=False, timeout=_IMPORT_SECONDS, stdin=stdin)
    if done.code == _FOUND:
        return done.out
    if done.code == _NOTHING and module.endswith("adopt"):
        return None
    raise CommandError(f"{module} ended with code {done.code}:\n{(done.out + done.err)[-3000:]}")


def _written(stack: Stack, name: str, text: str | None) -> Path:
    if text is None:
        raise CommandError(f"there is nothing for {name}")
    file = stack.folder / name
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return file
