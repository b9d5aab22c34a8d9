"""The figures of drills, where the environment's alerts look for them (docs/adr/0017-drill-figures.md).

    uv run python -m drills.publish report.json --stack prod

brings a report's figures, for example those of the pipeline's artifact, to the cluster that kubectl is signed
in to. Exit code 0: they are there; 1: the cluster did not take them; 2: there is no such report.

What is known of every drill lies in `results.json` beside the reports, and in the ConfigMap that agents show
to Prometheus. The two are merged: a lost cluster forgets, and so does another machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from app.telemetry.drills import DrillResult, DrillResults
from drills.report import Report, Reports
from drills.shell import CommandError, Shell
from infra.naming import Names
from infra.workload.agent import DRILL_RESULTS

_FILE = "results.json"


def main(arguments: Sequence[str] | None = None, shell: Shell | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        reports = Reports.model_validate_json(options.report.read_bytes()).reports
    except (OSError, ValidationError) as error:
        sys.stderr.write(f"publish: {options.report} is no report of drills: {error}\n")
        return 2
    told = tellable(reports)
    try:
        namespace = Names(options.stack).namespace
        publish(shell or Shell(dict(os.environ)), namespace, told, options.report.parent)
    except CommandError as error:
        sys.stderr.write(f"publish: {error}\n")
        return 1
    names = ", ".join(one.drill for one in told) or "nothing"
    sys.stdout.write(f"publish: {options.stack} knows of {names}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m drills.publish", description="Bring a report's figures to an environment's cluster."
    )
    parser.add_argument("report", type=Path, metavar="REPORT.json", help="what `python -m drills` wrote")
    parser.add_argument("--stack", required=True, help="the environment, e.g. prod")
    return parser


def tellable(reports: Iterable[Report]) -> list[Report]:
    """A sabotaged drill says nothing about the environment."""
    return [one for one in reports if not one.sabotage]


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


if __name__ == "__main__":
    sys.exit(main())
