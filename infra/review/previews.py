"""Previewing every stack of the project with the user's own Pulumi, exactly as they would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.review import plan as plans
from infra.review.guard import Verdict, judge
from infra.review.plan import Plan, PlanError
from infra.review.policies import Finding, parse
from infra.settings.base import BELONGING, values_of
from infra.stacks import recorded
from infra.stacks.recorded import Recorded

PACK = "infra/policy"
#: Seconds for one preview; real clouds are slower than they promise.
_PATIENCE = 1800


class PreviewError(RuntimeError):
    """Pulumi cannot be run at all; the message says what to do."""


@dataclass(frozen=True)
class Preview:
    """What would happen to one stack; `verdict.errors` say why that is not known.

    `deployed` is false for a stack that the backend does not have: everything in it would be new.
    """

    stack: str
    deployed: bool
    plan: Plan
    verdict: Verdict
    findings: tuple[Finding, ...] = ()

    @property
    def broken_rules(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.mandatory)


def stack_names(root: Path) -> list[str]:
    """Environments with a settings file (`Pulumi.dev.yaml`) that git does not ignore, by name.

    Not the stacks that belong to one: they ask for what the environment has, so it has to be up, and a
    recovery is refused while it is. They are previewed when they are named.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "Pulumi.*.yaml"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    files = (Path(line) for line in listed.stdout.splitlines() if (root / line).exists())
    names = sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files)
    return [name for name in names if values_of(name, root).get("role") not in BELONGING]


def previewed(stack: str, printed: str, errors: str, events: str, *, deployed: bool = True) -> Preview:
    """The preview that a run of `pulumi preview --json` printed; `events` is its log of events."""
    try:
        plan = plans.parse(printed)
    except PlanError as error:
        plan = Plan((), 0, (errors.strip() or str(error),), {})
    try:
        verdict = judge(plan)
    except PlanError as error:
        verdict = Verdict((), (), (), (str(error),))
    return Preview(stack, deployed, plan, verdict, parse(events))


@dataclass(frozen=True)
class Pulumi:
    """The CLI in a project's folder, with the environment of whoever runs this."""

    root: Path
    environment: Mapping[str, str]

    @classmethod
    def of(cls, root: Path) -> Pulumi:
        """Raises PreviewError when there is no Pulumi, or no backend that it is signed in to."""
        if shutil.which("pulumi") is None:
            raise PreviewError(
                'there is no `pulumi` on PATH. For the sandbox: make up && eval "$(uv run sandbox env)"; for '
                "Azure: install it and sign in (`az login`, `pulumi login`)"
            )
        return cls(root, {**os.environ, "PULUMI_DEBUG_COMMANDS": "true"})

    def preview(self, stack: str) -> Preview:
        with tempfile.TemporaryDirectory(prefix="preview-") as name:
            scratch = Path(name)
            deployed = stack in self._stacks()
            pulumi = self if deployed else self._new_stack(stack, scratch)
            settings = self.root if deployed else scratch
            events = scratch / "events.json"
            arguments = ["--stack", stack, "--config-file", str(settings / f"Pulumi.{stack}.yaml")]
            done = pulumi.run(
                "preview",
                *arguments,
                *("--json", "--show-replacement-steps", "--event-log", str(events)),
                *("--policy-pack", PACK),
            )
            found = events.read_text(encoding="utf-8") if events.exists() else ""
        return previewed(stack, done.stdout, done.stderr, found, deployed=deployed)

    def held(self, stack: str) -> list[Recorded]:
        """The accounts and databases that the stack's state says it had; none without a state."""
        if stack not in self._stacks():
            return []
        done = self.run("stack", "export", "--stack", stack)
        if done.returncode != 0:
            raise PreviewError(f"the state of {stack} could not be read: {done.stderr.strip()}")
        resources = json.loads(done.stdout)["deployment"].get("resources") or []
        return list(recorded.parse({resource["urn"]: resource for resource in resources}))

    def _stacks(self) -> set[str]:
        done = self.run("stack", "ls", "--json")
        if done.returncode != 0:
            raise PreviewError(f"`pulumi stack ls` failed: {done.stderr.strip()}")
        return {str(stack["name"]).rpartition("/")[2] for stack in json.loads(done.stdout)}

    def _new_stack(self, stack: str, scratch: Path) -> Pulumi:
        """An empty stack of this name in a backend of its own, that `scratch` takes with it.

        Made in a folder of its own as well: making a stack writes into its settings file.
        """
        project = self.root / "Pulumi.yaml"
        for file in (project, self.root / f"Pulumi.{stack}.yaml"):
            shutil.copy(file, scratch)
        backend = scratch / "backend"
        backend.mkdir()
        environment = {**self.environment, "PULUMI_BACKEND_URL": f"file://{backend}"}
        made = Pulumi(scratch, environment).run("stack", "init", stack, "--no-select")
        if made.returncode != 0:
            raise PreviewError(f"a stack to preview {stack} in could not be made: {made.stderr.strip()}")
        return Pulumi(self.root, environment)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", "--non-interactive", "--color=never", *arguments],
            cwd=self.root,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
