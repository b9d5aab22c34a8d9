"""A value of a restored account or database that is known only once that one is fit to be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import authorization

from infra.azure import resource_manager
from infra.cloud import Cloud
from infra.recovery import conformance, facts

#: Facts of an id, asked with what reads Resource Manager.
Look = Callable[[facts.Read, str], facts.Facts]


@dataclass(frozen=True)
class Copy:
    """A restored one by its resource id, and what it has to be like: an original, by id, or facts.

    `after` is what makes either what it is: looked at before, they would differ.
    """

    kind: conformance.Kind
    look: Look
    id: pulumi.Output[str]
    like: pulumi.Output[str] | facts.Facts
    after: Sequence[pulumi.Resource]


def once_conforming(value: pulumi.Output[str], cloud: Cloud, copy: Copy) -> pulumi.Output[str]:
    """`value`, when the copy is like its original in what a restore does not bring.

    What depends on it therefore waits: agents follow after the check and not otherwise. Raises RunError with
    a table of what is wrong. A preview does not look: what is wrong may be what the update is about to mend.
    """
    if pulumi.runtime.is_dry_run():
        return value
    token = authorization.get_client_token_output().token
    # Of facts there are only those that matter; an original says all.
    wanted = copy.like if isinstance(copy.like, dict) else None

    def check(known: Sequence[Any]) -> str:
        answer, bearer, original, restored, *_ = known

        def read(path: str, version: str) -> dict[str, Any] | None:
            return resource_manager.read(f"{cloud.resource_manager}{path}?api-version={version}", bearer)

        name, found = str(restored).rpartition("/")[2], copy.look(read, restored)
        expected = copy.look(read, original) if wanted is None else found | wanted
        wrong = conformance.deviations(copy.kind, name, expected, found)
        if wrong:
            lines = "\n".join(conformance.table(wrong))
            raise pulumi.RunError(
                f"the {copy.kind} {name} was restored, but is not yet fit to be used; agents stay where they "
                f"are. Run pulumi up --refresh again:\n{lines}"
            )
        return str(answer)

    made = [one.id for one in copy.after if isinstance(one, pulumi.CustomResource)]
    original = "" if wanted is not None else copy.like
    return pulumi.Output.all(value, token, original, copy.id, *made).apply(check)
