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
from drills.publish import publish
from drills.shell import ROOT, CommandError, sandbox_shell

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
    if why := _unfit(chosen, options.sabotage):
        return _refuse(why)
    try:
        shell = sandbox_shell()
    except CommandError as error:
        return _refuse(f"{error}. `make up` starts one")
    reports: list[report.Report] = []
    for number, drill in enumerate(chosen, 1):
        sys.stdout.write(f"drill {number}/{len(chosen)} {drill.name} …\n")
        sys.stdout.flush()
        reports.append(perform(drill, shell, options.report, options.sabotage))
        report.write(reports, options.report)
        sys.stdout.write(f"drill {number}/{len(chosen)} {reports[-1].verdict}\n")
    try:
        publish(shell, reports, options.report)
    except CommandError as error:
        sys.stderr.write(f"drills: the figures were not published: {error}\n")
    failed = [one.drill for one in reports if not one.passed]
    verdict = f"FAILED: {', '.join(failed)}" if failed else "all passed"
    sys.stdout.write(f"drills: {verdict}. The report is {options.report / 'report.md'}\n")
    return 1 if failed else 0


def _unfit(chosen: Sequence[object], fault: str | None) -> str:
    """Why a sabotage cannot be done to what was chosen."""
    if fault is None or fault in sabotage.FAULTS:
        return ""
    lacking = [one.name for one in DRILLS.values() if one in chosen and fault not in one.sabotages]
    return f"there is no sabotage {fault} of {', '.join(lacking)}; --help lists them" if lacking else ""


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
        metavar="FAULT",
        help="make a fault after the restore, so that the drill must fail: "
        + ", ".join([*sabotage.FAULTS, *own]),
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
