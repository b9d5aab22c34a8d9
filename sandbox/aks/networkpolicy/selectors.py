"""Label selectors. https://kubernetes.io/docs/concepts/overview/working-with-objects/labels"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Requirement:
    key: str
    operator: str
    values: frozenset[str]

    def fits(self, labels: Labels) -> bool:
        value = labels.get(self.key)
        if self.operator == "In":
            return value in self.values
        if self.operator == "NotIn":
            return value not in self.values
        return (value is not None) == (self.operator == "Exists")


@dataclass(frozen=True)
class Selector:
    """All requirements hold; without any, everything is selected."""

    requirements: tuple[Requirement, ...] = ()

    def fits(self, labels: Labels) -> bool:
        return all(one.fits(labels) for one in self.requirements)


def read(selector: Mapping[str, Any]) -> Selector:
    equal: Labels = selector.get("matchLabels") or {}
    expressions: Sequence[Mapping[str, Any]] = selector.get("matchExpressions") or ()
    return Selector(
        (
            *(Requirement(key, "In", frozenset({value})) for key, value in sorted(equal.items())),
            *(
                Requirement(one["key"], one["operator"], frozenset(one.get("values") or ()))
                for one in expressions
            ),
        )
    )
