"""`python -m drills`: break things on the sandbox, restore them as documented, and say what came of it.

    uv run python -m drills --list
    uv run python -m drills                              # all of them, about an hour
    uv run python -m drills point-in-time cluster-loss
    uv run python -m drills point-in-time --sabotage public   # must fail

Exit code 0: every drill passed; 1: one failed; 2: wrong arguments, or no sandbox runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from drills import report, sabotage
from drills.disasters import DRILLS
from drills.performance import perform
from drills.publish import publish, tellable
from drills.shell import ROOT, CommandError, sandbox_shell
from infra.naming import Names

_OUT = ROOT / "drills" / "out"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.list:
        for drill in DRILLS.values():
            sys.stdout.write(f"{drill.name:17} {drill.broken}\n{'':17} Restored by {drill.restored_by}.\n")
        return 0
    if unknown := sorted(set(options.drills) - set(DRILLS)):
        return _refuse(f"there is no drill {', '.join(unknown)}; there are {', '.join(DRILLS)}")
    chosen = [DRILLS[name] for name in options.drills or DRILLS]
    faults = frozenset(options.sabotage)
    for drill in chosen:
        if strange := sorted(faults - sabotage.FAULTS.keys() - drill.sabotages.keys()):
            return _refuse(f"{drill.name} has no sabotage {', '.join(strange)}; --help lists them")
    try:
        shell = sandbox_shell()
    except CommandError as error:
        return _refuse(f"{error}. `make up` starts one")
    reports: list[report.Report] = []
    for number, drill in enumerate(chosen, 1):
        sys.stdout.write(f"drill {number}/{len(chosen)} {drill.name} …\n")
        sys.stdout.flush()
        is_right = bool(reports) and reports[-1].error is None
        reports.append(perform(drill, shell, options.report, faults, is_right=is_right))
        report.write(reports, options.report)
        sys.stdout.write(f"drill {number}/{len(chosen)} {reports[-1].verdict}\n")
        for blind in sabotage.unseen(faults, drill, reports[-1]):
            sys.stdout.write(f"drill {number}/{len(chosen)} {blind}\n")
    try:
        publish(shell, Names("dev").namespace, tellable(reports), options.report)
    except CommandError as error:
        sys.stderr.write(f"drills: the figures were not published: {error}\n")
    failed = [one.drill for one in reports if not one.passed]
    verdict = f"FAILED: {', '.join(failed)}" if failed else "all passed"
    sys.stdout.write(f"drills: {verdict}. The report is {options.report / 'report.md'}\n")
    return 1 if failed else 0


def _refuse(why: str) -> int:
    sys.stderr.write(f"drills: {why}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    own = [f"{fault} ({drill.name})" for drill in DRILLS.values() for fault in drill.sabotages]
    parser = argparse.ArgumentParser(
        prog="python -m drills",
        description="Break things on the running sandbox, restore them as documented, judge them by content.",
    )
    parser.add_argument("drills", nargs="*", metavar="DRILL", help="which; all of them if none is named")
    parser.add_argument("--list", action="store_true", help="say what there is, and do nothing")
    parser.add_argument(
        "--report",
        type=Path,
        default=_OUT,
        metavar="FOLDER",
        help="where report.md, report.json and the journals of sentinels go (default: drills/out)",
    )
    parser.add_argument(
        "--sabotage",
        action="append",
        default=[],
        metavar="FAULT",
        help="make a fault after the restore, so that the drill must fail (repeatable): "
        + ", ".join([*sabotage.FAULTS, *own]),
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
