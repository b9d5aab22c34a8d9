"""`python -m infra.recovery.settle --stack prod`: an imported state as the program would have it.

`pulumi import` takes everything that Azure says for settings of the program's, also what Azure filled in by
itself, and the next preview would take that away: a SQL server's made-up administrator, a container's empty
policy for unique keys, which cannot be changed, so that server and container would be *replaced*. What the
program never sets is therefore taken out of the imported inputs again, as if Pulumi had made the resource:

    pulumi stack export --stack prod | uv run python -m infra.recovery.settle --stack prod > settled.json
    pulumi stack import --stack prod --file settled.json

Whatever the program sets and Azure has otherwise stays a difference, and is for the next update. Only for a
stack that was imported just now. Exit codes: 0 done; 2 the preview did not work.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infra.recovery.adopt import ROOT, AdoptError, Document, previewed
from infra.review.plan import steps_of

DONE, NOT_SEEN = 0, 2


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """The exit code; see the module's documentation. The state comes from standard input."""
    options = _options(arguments)
    state: Document = json.load(sys.stdin)
    try:
        preview, _ = previewed(root, options.stack)
    except AdoptError as error:
        sys.stderr.write(f"settle: could not look; {error}\n")
        return NOT_SEEN
    sys.stdout.write(json.dumps(settled(state, preview), indent=2) + "\n")
    return DONE


def settled(state: Document, preview: Document) -> Document:
    """The exported state without the inputs that the preview would take away."""
    left_out: dict[str, set[str]] = {}
    for urn, path in _unset(preview):
        left_out.setdefault(urn, set()).add(path)
    made = copy.deepcopy(state)
    for resource in made["deployment"]["resources"]:
        for path in left_out.get(resource["urn"], ()):
            _remove(resource["inputs"], path)
    return made


def _unset(preview: Document) -> Iterator[tuple[str, str]]:
    """Of resources of Azure, the properties that are in the state and not in the program."""
    for step in preview.get("steps") or ():
        kind = str(((step.get("newState") or step.get("oldState")) or {}).get("type"))
        if kind.startswith("azure-native:"):
            for path, difference in (step.get("detailedDiff") or {}).items():
                if str(difference.get("kind")).startswith("delete"):
                    yield step["urn"], path


def _remove(inputs: Any, path: str) -> None:
    """Take a property out; an element of a list is a difference of its own and stays."""
    *above, last = steps_of(path)
    for part in above:
        if isinstance(inputs, list) and part.isdigit() and int(part) < len(inputs):
            inputs = inputs[int(part)]
        elif isinstance(inputs, dict) and part in inputs:
            inputs = inputs[part]
        else:
            return
    if isinstance(inputs, dict):
        inputs.pop(last, None)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.recovery.settle", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--stack", required=True, help="the stack, e.g. prod")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
