"""`python -m benchmarks.scale`: write docs/scale.md, or say whether it is what would be written."""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from benchmarks.load import results
from benchmarks.load.environments import ROOT
from benchmarks.scale import design, measured
from benchmarks.scale.measured import TooLittleError
from benchmarks.scale.page import page
from benchmarks.scale.study import study

PAGE = ROOT / "docs" / "scale.md"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if the page is another")
    parser.add_argument(
        "--figures", type=Path, default=results.FILE, help="what `make bench` measured (JSON)"
    )
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args(arguments)
    try:
        text = page(study(measured.read(results.load(asked.figures)), design.read()))
    except (FileNotFoundError, TooLittleError) as error:
        print(f"{error}; measure with `make bench`", file=sys.stderr)  # noqa: T201
        return 2
    if not asked.check:
        asked.page.write_text(text)
        return 0
    there = asked.page.read_text() if asked.page.exists() else ""
    if there == text:
        return 0
    said = f"{asked.page} is not what the code computes: run `uv run python -m benchmarks.scale`"
    print("".join(_difference(there, text)), said, sep="\n", file=sys.stderr)  # noqa: T201
    return 1


def _difference(there: str, text: str) -> list[str]:
    before, after = there.splitlines(keepends=True), text.splitlines(keepends=True)
    return list(difflib.unified_diff(before, after, "written", "computed", n=0))[:40]


if __name__ == "__main__":
    sys.exit(main())
