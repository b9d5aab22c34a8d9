"""`python -m infra.recovery.adopt --stack prod > import.json`: what exists already, for `pulumi import`.

For a stack whose state is lost. Asks `pulumi preview` what it would create, works out where each of it lies
in Azure, and prints those that are there as a file for `pulumi import --file`. A name that comes from another
resource is known only when that one is imported, so this is repeated until nothing more is found:

    while uv run python -m infra.recovery.adopt --stack prod > import.json; do
      pulumi import --stack prod --file import.json --yes --protect=false --generate-code=false
      pulumi stack export --stack prod | uv run python -m infra.recovery.settle --stack prod > settled.json
      pulumi stack import --stack prod --file settled.json
    done

Reads only. Exit codes: 0 there is something to import; 1 nothing more; 2 it could not be looked at. What is
on the cluster is taken over by the update that follows, with PULUMI_K8S_UPSERT_EXISTING_OBJECTS=true, and
what Helm installed once its notes are gone: docs/recovery.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.preflight.arm import Arm, AskError
from infra.preflight.az import AzureCli
from infra.preflight.stack import StackError, read
from infra.recovery import ids
from infra.review.plan import is_known
from infra.settings import SettingsError

ROOT = Path(__file__).resolve().parents[2]
FOUND, NOTHING, NOT_SEEN = 0, 1, 2
#: An id and the version of its API -> whether it is there.
Exists = Callable[[str, str], bool]
Document = dict[str, Any]


class AdoptError(Exception):
    """The preview did not work; the message has its words."""


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """The exit code; see the module's documentation. `root` is the project."""
    options = _options(arguments)
    try:
        stack, az = read(root, options.stack), AzureCli(options.timeout)
        subscription = az.account(stack.subscription or os.environ.get("ARM_SUBSCRIPTION_ID")).subscription
        arm = Arm(az.get)
        preview, wanted = previewed(root, options.stack)
        found = adopted(preview, wanted, subscription, lambda id_, v: arm.find(id_, v) is not None)
    except (AdoptError, StackError, SettingsError, AskError) as error:
        sys.stderr.write(f"adopt: could not look; {error}\n")
        return NOT_SEEN
    count = sum("id" in one for one in found["resources"])
    sys.stderr.write(f"adopt: {count} resources to import.\n")
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return FOUND if count else NOTHING


def previewed(root: Path, stack: str) -> tuple[Document, Document]:
    """The plan, and the file for an import that Pulumi writes with it: everything new, without ids."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "import.json"
        command = ["pulumi", "preview", "--non-interactive", "--stack", stack, "--json", "--import-file"]
        done = subprocess.run([*command, str(file)], cwd=root, capture_output=True, text=True, check=False)
        if not file.exists():
            raise AdoptError(f"pulumi preview did not work:\n{done.stdout}{done.stderr}")
        return parse(done.stdout), json.loads(file.read_text(encoding="utf-8"))


def parse(text: str) -> Document:
    """What `pulumi preview --json` printed. Raises AdoptError."""
    try:
        found: Document = json.loads(text[text.index("{") :])
    except ValueError as error:
        raise AdoptError(f"pulumi preview printed no plan: {text}") from error
    return found


def adopted(preview: Document, wanted: Document, subscription: str, exists: Exists) -> Document:
    """The import file reduced to what is there, with ids, and to the components that it lies in."""
    places = dict(_places(preview, subscription))
    urns: Mapping[str, str] = wanted.get("nameTable") or {}
    entries: list[Document] = wanted.get("resources") or []
    by_name = {one["name"]: one for one in entries}

    def qualified(one: Document) -> str:
        """Types of its parents and its own, joined as in URNs."""
        parent = one.get("parent")
        if parent in by_name:
            return f"{qualified(by_name[parent])}${one['type']}"
        above = urns[parent].split("::")[2] if parent and parent in urns else "pulumi:pulumi:Stack"
        return one["type"] if above == "pulumi:pulumi:Stack" else f"{above}${one['type']}"

    found = []
    for one in entries:
        if one.get("component"):
            found.append(one)
            continue
        place = places.get((qualified(one), one.get("logicalName") or one["name"]))
        if place is not None and exists(place, ids.version(one["type"])):
            found.append({**one, "id": place})
    return {**wanted, "resources": found}


def _places(preview: Document, subscription: str) -> Iterator[tuple[tuple[str, str], str]]:
    """By types and logical name, the id of everything that would be created and whose id is known."""
    for step in preview.get("steps") or ():
        state = step.get("newState") or {}
        if step["op"] != "create" or state.get("type") not in ids.TYPES:
            continue
        inputs = {name: value for name, value in (state.get("inputs") or {}).items() if is_known(value)}
        place = ids.resource_id(state["type"], inputs, subscription)
        if place is not None:
            _, _, kinds, name = step["urn"].split("::", 3)
            yield (kinds, name), place


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.recovery.adopt", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--stack", required=True, help="the stack, e.g. prod")
    parser.add_argument("--timeout", type=float, default=600, help="seconds after which it gives up (600)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
