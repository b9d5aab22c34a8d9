"""Which operation a request means: method and path against the templates that handlers declare.

`{name}` matches one segment, `{+name}` one or more (the scope of an extension), both case-insensitively.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sandbox.arm.operation import Operation

_PARAMETER = re.compile(r"\{(\+?)(\w+)\}")


def _pattern(template: str) -> re.Pattern[str]:
    parts = []
    position = 0
    for match in _PARAMETER.finditer(template):
        parts.append(re.escape(template[position : match.start()]))
        parts.append(f"(?P<{match[2]}>{'.+' if match[1] else '[^/]+'})")
        position = match.end()
    parts.append(re.escape(template[position:]))
    return re.compile("/?" + "".join(parts).strip("/") + "/?", re.IGNORECASE)


class Matcher:
    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_method: dict[str, list[tuple[re.Pattern[str], Operation]]] = {}
        for operation in operations:
            found = self._by_method.setdefault(operation.method.upper(), [])
            found.append((_pattern(operation.path), operation))

    def find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
        """The first declared operation that fits, with its parameters."""
        for pattern, operation in self._by_method.get(method, ()):
            match = pattern.fullmatch(path)
            if match is not None:
                return operation, match.groupdict()
        return None
