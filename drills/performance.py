"""One performance of a drill: put right, look, write, break, restore, judge, put right again."""

from __future__ import annotations

import traceback
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from drills import afterwards, bookkeeping, sabotage
from drills.agents import Agents
from drills.books import read_books
from drills.content import Judgement, is_due, judge, judged, read_back
from drills.drill import Drill, Outcome, Scene
from drills.exposure import survey
from drills.figures import rpo, rto
from drills.journal import Journal, Sentinel
from drills.putright import put_right
from drills.report import Check, Figure, Report
from drills.shell import Shell
from drills.stack import Stack
from drills.timeline import Timeline
from drills.writing import Writers

#: Incidents before the disaster: each is three executions of other agents.
_INCIDENTS = 2


@dataclass
class _Found:
    """What is known so far: a drill that breaks off still has a report."""

    outcome: Outcome | None = None
    judgement: Judgement | None = None
    checks: list[Check] = field(default_factory=list)
    error: str | None = None


def perform(
    drill: Drill, shell: Shell, folder: Path, faults: frozenset[str] = frozenset(), *, is_right: bool = False
) -> Report:
    """What goes wrong is in the report; nothing is raised.

    `is_right`: a drill just before has put the stack right, which takes a minute.
    """
    timeline = Timeline()
    run = f"drill-{uuid.uuid4().hex[:8]}"
    stack = Stack(shell, timeline, folder / drill.name)
    found = _Found()
    sentinels: list[Sentinel] = []
    try:
        if not is_right:
            with timeline.step("put right what an earlier run may have left"):
                put_right(stack)
        drill.clean(stack)
        agents = Agents(str(stack.outputs["agentsUrl"]), shell.env["SSL_CERT_FILE"])
        with Journal(folder / drill.name / f"{run}.jsonl") as journal:
            writers = Writers(agents, journal, run, timeline.now)
            try:
                _play(drill, _scene(run, stack, agents, writers, faults), found)
            finally:
                sentinels = writers.sentinels
                agents.close()
    except Exception as error:  # noqa: BLE001 - whatever it was is what the report says
        found.error = f"{error}\n\n{traceback.format_exc()}"
    try:
        with timeline.step("put right"):
            put_right(stack)
            drill.clean(stack)
    except Exception as error:  # noqa: BLE001 - as above
        found.error = f"{found.error or ''}\nnot put right: {error}".strip()
    return _report(drill, timeline, found, sentinels, faults)


def _scene(run: str, stack: Stack, agents: Agents, writers: Writers, faults: frozenset[str]) -> Scene:
    """As it is before anything is broken."""
    names, timeline, shell = stack.names, stack.timeline, stack.shell
    before = read_books(shell, names.namespace, run, [timeline.began.date()])
    surveyed = survey(shell, names.resource_group)
    return Scene(run, shell, stack, timeline, agents, writers, before, surveyed, faults)


def _play(drill: Drill, scene: Scene, found: _Found) -> None:
    timeline = scene.timeline
    first = scene.incidents(_INCIDENTS)
    with timeline.step("incidents are acted upon by all who listen"):
        if wrong := [one for check in bookkeeping.settled(scene, first) for one in check.problems]:
            raise RuntimeError(f"the books do not balance before anything is broken: {'; '.join(wrong[:5])}")
    outcome = found.outcome = drill.play(scene)
    timeline.mark("it fails", outcome.failed)
    timeline.mark("callers are served again", outcome.operational)
    scene.stack.sign_in()
    due = [one for one in scene.writers.sentinels if is_due(one, outcome.restored)]
    try:
        for name in sorted(scene.faults & sabotage.FAULTS.keys()):
            with timeline.step(f"sabotage: {name}"):
                sabotage.FAULTS[name].make(scene, due)
        _judge(scene, outcome, due, found)
    finally:
        if scene.faults:
            sabotage.undo(scene)


def _judge(scene: Scene, outcome: Outcome, due: list[Sentinel], found: _Found) -> None:
    timeline, written = scene.timeline, scene.writers.sentinels
    with timeline.step("every sentinel is read back"):
        answers = read_back(scene.agents, written)
    found.judgement = judge(written, answers, failed=outcome.failed, restored=outcome.restored)
    found.checks += [judged(found.judgement), *outcome.checks]
    with timeline.step("the books are balanced"):
        found.checks += bookkeeping.settled(scene, due, outcome)
    with timeline.step("exposure, rights, conformance, policies"):
        found.checks += afterwards.judge(scene, outcome)


def _report(
    drill: Drill, timeline: Timeline, found: _Found, sentinels: list[Sentinel], faults: frozenset[str]
) -> Report:
    outcome, judgement = found.outcome, found.judgement
    measured_rto = None if outcome is None else rto(outcome.failed, outcome.operational)
    measured_rpo = None
    if outcome is not None and judgement is not None:
        measured_rpo = rpo(outcome.failed, judgement)
    counted = {
        "acknowledged": sum(one.acknowledged is not None for one in sentinels),
        "refused or unanswered": sum(one.failure is not None for one in sentinels),
    }
    if judgement is not None:
        counted |= {"that may be either": judgement.undecided, "lost": judgement.lost}
    return Report(
        drill=drill.name,
        broken=drill.broken,
        restored_by=drill.restored_by,
        sabotage=sorted(faults),
        began=timeline.began,
        ended=timeline.now(),
        failed_at=outcome.failed if outcome else None,
        operational_at=outcome.operational if outcome else None,
        rto=Figure(measured=measured_rto, target=drill.rto),
        rpo=Figure(measured=measured_rpo, target=drill.rpo),
        sentinels=counted,
        checks=found.checks,
        error=found.error,
        azure=list(drill.azure),
        timeline=timeline.steps,
    )
