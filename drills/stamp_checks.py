"""What a stamp is judged by while it serves: as a restored environment is, and held to its original."""

from __future__ import annotations

from dataclasses import dataclass

from drills import bookkeeping
from drills.content import Behind, is_due, judged, read_back
from drills.content import judge as judge_content
from drills.drill import Outcome, Scene
from drills.exposure import Survey, as_of_another, opened, survey, without_address
from drills.figures import rpo
from drills.report import Check
from drills.rights import Rights, held, more
from drills.stack import Stack


@dataclass(frozen=True)
class Original:
    """Of the environment while it was whole."""

    survey: Survey
    rights: Rights


def refused(stack: Stack) -> Check:
    """The environment answers, so a stamp must not serve as well. Raises RuntimeError if it does."""
    done = stack.up(check=False)
    if done.code == 0:
        raise RuntimeError(f"{stack.name} took over from {stack.source}, which answers")
    said = done.out + done.err
    problems = [] if f"{stack.source} is up" in said else [f"it failed for another reason: {said[-2000:]}"]
    if stack.shell.az("group", "exists", "-n", stack.names.resource_group):
        problems.append(f"{stack.names.resource_group} was made before it was refused")
    return Check(name="no two at once", looked_at="pulumi up without an outage", problems=problems)


def own(stack: Stack, found: Survey) -> Survey:
    """With the address of the stack's own cluster in words. Raises CommandError."""
    names = stack.names
    where = ("-g", names.resource_group, "-n", names.egress_address)
    return without_address(found, str(stack.shell.az("network", "public-ip", "show", *where)["ipAddress"]))


def judge(scene: Scene, outcome: Outcome, original: Original) -> list[Check]:
    """`scene` is the stamp's. Raises CommandError, and UnreadableError."""
    stack, timeline = scene.stack, scene.timeline
    stack.sign_in()
    written = scene.writers.sentinels
    with timeline.step("the stamp: every sentinel is read back"):
        content = judge_content(
            written,
            read_back(scene.agents, written),
            failed=outcome.failed,
            restored=outcome.restored,
        )
    checks = [judged(content)]
    if isinstance(outcome.restored, Behind):
        measured = rpo(outcome.failed, content)
        problems = outcome.restored.problems(measured)
        checks.append(Check(name="lag", looked_at=f"RPO {measured:.1f} s", problems=problems))
    due = [one for one in written if is_due(one, outcome.restored)]
    with timeline.step("the stamp: the books are balanced"):
        checks += bookkeeping.settled(scene, due, outcome)
    with timeline.step("the stamp: exposure, rights, settings"):
        checks += [_exposure(stack, original.survey), _rights(stack, original.rights), _declared(stack)]
    return [one.model_copy(update={"name": f"stamp: {one.name}"}) for one in checks]


def _exposure(stack: Stack, before: Survey) -> Check:
    found = own(stack, survey(stack.shell, stack.names.resource_group))
    problems = opened(before, as_of_another(found, stack.name, stack.source))
    looked_at = f"{len(found)} resources with a network"
    return Check(name="nothing is open that was not", looked_at=looked_at, problems=problems)


def _rights(stack: Stack, allowed: Rights) -> Check:
    found = held(stack)
    return Check(name="rights", looked_at=f"{len(found)} roles of agents", problems=more(allowed, found))


def _declared(stack: Stack) -> Check:
    done = stack.pulumi("preview", "--expect-no-changes", "--diff", "--color", "never", check=False)
    problems = [] if done.code == 0 else [(done.out + done.err)[-3000:]]
    return Check(name="deployed as declared", looked_at="a preview", problems=problems)
