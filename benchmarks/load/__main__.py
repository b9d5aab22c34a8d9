"""`python -m benchmarks.load`: measure, print the tables, keep the figures for docs/scale.md."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from benchmarks.load.events.run import WorkerError
from benchmarks.load.processes import StartError
from benchmarks.load.results import FILE
from benchmarks.load.run import Plan, measure
from benchmarks.load.table import page
from benchmarks.load.targets import EVENTS, NAMES
from benchmarks.load.wrk import MissingError


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, _end)
    try:
        results = measure(Plan(asked.seconds, asked.callers, asked.latencies, asked.only))
    except (MissingError, StartError, WorkerError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    print(page(results))  # noqa: T201
    results.save(asked.output)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each stage")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 16, 64, 100, 200])
    parser.add_argument("--latencies", type=int, nargs="+", default=[0, 50], help="of the model, in ms")
    parser.add_argument(
        "--only", nargs="+", choices=(*NAMES, EVENTS), default=(*NAMES, EVENTS), help="targets"
    )
    parser.add_argument("--output", type=Path, default=FILE, help="the file of the figures (JSON)")
    return parser.parse_args()


def _end(number: int, _frame: FrameType | None) -> None:
    """As an interrupt from the keyboard: what was started is ended on the way out."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
