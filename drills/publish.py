"""The figures of drills, where the environment's alerts look for them (docs/adr/0017-drill-figures.md).

What is known of every drill lies in `results.json` beside the reports, and in the ConfigMap that agents show
to Prometheus. The two are merged: a lost cluster forgets, and so does another machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from app.telemetry.drills import DrillResult, DrillResults
from drills.report import Report
from drills.shell import CommandError, Shell
from infra.workload.agent import DRILL_RESULTS

_FILE = "results.json"


def publish(shell: Shell, namespace: str, reports: Sequence[Report], folder: Path) -> None:
    """Add the reports to what is known. Raises CommandError when the cluster does not take it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / _FILE
    known = [_kept(file), _published(shell, namespace)]
    results = merged([*known, *(DrillResults(drills={one.drill: result(one)}) for one in reports)])
    draft = file.with_suffix(".tmp")
    draft.write_text(results.model_dump_json(indent=2) + "\n", encoding="utf-8")
    draft.replace(file)
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": DRILL_RESULTS, "namespace": namespace},
        "data": {_FILE: results.model_dump_json()},
    }
    taking = ("apply", "--server-side", "--force-conflicts", "--field-manager=drills", "-f", "-")
    shell.kubectl(*taking, stdin=json.dumps(document))


def result(report: Report) -> DrillResult:
    """What a report says. A failed drill has no figures: nothing was recovered as it should be."""
    run = report.ended.timestamp()
    if not report.passed:
        return DrillResult(last_run=run)
    return DrillResult(
        last_run=run,
        last_success=run,
        rto_seconds=report.rto.measured,
        rpo_seconds=report.rpo.measured,
    )


def merged(known: Iterable[DrillResults]) -> DrillResults:
    """Of each drill the last run, and the last success with its figures."""
    found: dict[str, DrillResult] = {}
    for one in (pair for results in known for pair in results.drills.items()):
        name, result = one
        before = found.get(name, result)
        best = max(before, result, key=lambda each: each.last_success or 0)
        found[name] = best.model_copy(update={"last_run": max(before.last_run, result.last_run)})
    return DrillResults(drills=found)


def _kept(file: Path) -> DrillResults:
    try:
        return DrillResults.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return DrillResults()


def _published(shell: Shell, namespace: str) -> DrillResults:
    where = ("-n", namespace, "--ignore-not-found", "-o", "json")
    said = shell.kubectl("get", "configmap", DRILL_RESULTS, *where)
    if not said.strip():
        return DrillResults()
    try:
        return DrillResults.model_validate_json(json.loads(said)["data"][_FILE])
    except (KeyError, ValueError) as error:
        raise CommandError(
            f"ConfigMap {DRILL_RESULTS} in {namespace} holds no figures ({error}); delete it to begin anew"
        ) from error
