"""Named values that may use each other: each is computed when it is first asked for, and a circle refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.deployments.problems import invalid_template


class Lazy:
    """`names` maps lower-case names to their own spelling; `compute` takes a lower-case name."""

    def __init__(self, kind: str, names: Mapping[str, str], compute: Callable[[str], Any]) -> None:
        self._kind = kind
        self._names = names
        self._compute = compute
        self._values: dict[str, Any] = {}
        self._under_way: list[str] = []

    def get(self, name: str) -> Any:
        """Raises ArmError InvalidTemplate for an unknown name and for a circle."""
        key = name.lower()
        if key not in self._names:
            raise invalid_template(
                f"The template {self._kind} '{name}' is not found. Please see "
                f"https://aka.ms/arm-syntax-{self._kind}s for usage details"
            )
        if key in self._values:
            return self._values[key]
        if key in self._under_way:
            raise invalid_template(
                f"Circular dependency detected: the {self._kind} '{self._names[key]}' depends on itself"
            )
        self._under_way.append(key)
        try:
            self._values[key] = self._compute(key)
        finally:
            self._under_way.pop()
        return self._values[key]

    def function(self, arguments: list[Any]) -> Any:
        """The template function of these values, `parameters('x')` or `variables('x')`."""
        if len(arguments) != 1 or not isinstance(arguments[0], str):
            raise invalid_template(f"The template function '{self._kind}s' takes one name")
        return self.get(arguments[0])
