"""What ARM answers, judged: everything in it is known and of its type, and what is always there is there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.conformance.bicep import REQUIRED, WRITE_ONLY, BicepType, Problem, joined

#: Required by no type, but shown by every resource that has it; clients wait for it.
_ALWAYS = {"provisioningState"}


@dataclass(frozen=True)
class AnswerType(BicepType):
    """A body type as a GET shows it: with what is read-only, without what can only be written."""

    def _properties(
        self, value: Mapping[str, Any], properties: Mapping[str, Any], additional: Any, path: str
    ) -> Iterator[Problem]:
        for name, entry in properties.items():
            shown = name != "apiVersion" and not entry["flags"] & WRITE_ONLY
            always = entry["flags"] & REQUIRED or name in (_ALWAYS if path else _ALWAYS | {"id", "type"})
            if shown and always and value.get(name) is None:
                yield "missing", joined(path, name)
        for name, item in value.items():
            entry = properties.get(name)
            if entry is None and additional is None:
                yield "unknown", joined(path, name)
            elif entry is None:
                yield from self._check(item, self.resolve(additional), joined(path, name))
            elif entry["flags"] & WRITE_ONLY:
                yield "write-only", joined(path, name)
            elif item is not None:
                yield from self._check(item, self.resolve(entry["type"]), joined(path, name))
