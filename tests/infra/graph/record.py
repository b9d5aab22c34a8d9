"""A stack's whole resource graph as text: what a reviewer reads to see that a change does what it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import yaml

from infra.workload.image import source_hash
from tests.conformance.bicep import ROOT
from tests.conformance.program import record

#: The resource that has no parent of ours.
_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Options:
    """What Pulumi is told about a resource beside its inputs."""

    path: tuple[str, ...]
    protect: bool
    retain: bool
    ignored: tuple[str, ...]
    waits_for: tuple[str, ...]

    def told(self) -> dict[str, Any]:
        told = {
            "protect": self.protect,
            "retainOnDelete": self.retain,
            "ignoreChanges": list(self.ignored),
            "dependsOn": list(self.waits_for),
        }
        return {name: value for name, value in told.items() if value}


def graph(stack: str, *, root: Path = ROOT) -> dict[str, Any]:
    """`parent / … / type name` -> inputs and options, sorted. Secrets show as such."""
    options: dict[tuple[str, str], Options] = {}
    paths: dict[pulumi.Resource, tuple[str, ...]] = {}

    def look(args: pulumi.ResourceTransformationArgs) -> None:
        opts = args.opts
        parent = opts.parent
        above = paths.get(parent, ()) if parent is not None else ()
        path = paths[args.resource] = (*above, f"{args.type_} {args.name}")
        kinds = [parent._type] if parent is not None and above else []
        options["$".join([*kinds, args.type_]), args.name] = Options(
            path=path,
            protect=bool(opts.protect),
            retain=bool(opts.retain_on_delete),
            ignored=tuple(opts.ignore_changes or ()),
            waits_for=tuple(sorted(map(_title, _resources(opts.depends_on)))),
        )

    placed = record(stack, root=root, transformation=look).by_urn
    inputs = {_of_urn(urn): values for urn, values in placed.items()}
    assert inputs.keys() >= options.keys(), options.keys() - inputs.keys()
    found = {
        " / ".join(told.path): {**told.told(), **({"inputs": inputs[key]} if inputs.get(key) else {})}
        for key, told in options.items()
    }
    return dict(sorted(found.items()))


def render(stack: str, *, root: Path = ROOT) -> str:
    """As YAML, without what the image's sources are at the moment."""
    text = yaml.dump(
        graph(stack, root=root), Dumper=yaml.CSafeDumper, sort_keys=True, width=120, allow_unicode=True
    )
    return text.replace(source_hash(root), "SOURCES")


def _of_urn(urn: str) -> tuple[str, str]:
    """Types of the resource's parent and its own, joined as in URNs, and its name."""
    _, _, kinds, name = urn.split("::", 3)
    return kinds.removeprefix(f"{_STACK}$"), name


def _title(resource: pulumi.Resource) -> str:
    return f"{resource._type} {resource._name}"


def _resources(depends_on: Any) -> list[pulumi.Resource]:
    listed = depends_on if isinstance(depends_on, list | tuple) else [depends_on]
    return [found for found in listed if isinstance(found, pulumi.Resource)]


#: Every stack whose settings lie in the project.
STACKS = ("dev", "prod", "prod-backup", "prod-dr")


if __name__ == "__main__":
    for name in STACKS:
        (Path(__file__).parent / f"{name}.yaml").write_text(render(name))
