"""What the resource `command:local:Command` and the function `command:local:run` take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.engine.values import UNKNOWN, reveal

Test = Callable[[Any], bool]

LOGGING: Final = ("stdout", "stderr", "stdoutAndStderr", "none")


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(item is UNKNOWN or isinstance(item, str) for item in value)


_COMMON: dict[str, tuple[str, Test]] = {
    "addPreviousOutputInEnv": ("a boolean", lambda value: isinstance(value, bool)),
    "archivePaths": ("a list of strings", _texts),
    "assetPaths": ("a list of strings", _texts),
    "dir": ("a string", _text),
    "environment": ("a map of strings", lambda value: isinstance(value, dict) and _texts([*value.values()])),
    "interpreter": ("a list of strings", _texts),
    "logging": (f"one of {', '.join(LOGGING)}", lambda value: value in LOGGING),
    "stdin": ("a string", _text),
}
COMMAND: Final[Mapping[str, tuple[str, Test]]] = {
    **_COMMON,
    "create": ("a string", _text),
    "update": ("a string", _text),
    "delete": ("a string", _text),
    "triggers": ("a list", lambda value: isinstance(value, list)),
}
RUN: Final[Mapping[str, tuple[str, Test]]] = {**_COMMON, "command": ("a string", _text)}


def problems(given: Mapping[str, Any], allowed: Mapping[str, tuple[str, Test]]) -> dict[str, str]:
    """Property -> what is wrong with it."""
    found = {}
    for name, value in reveal(dict(given)).items():
        if name not in allowed:
            found[name] = f"unknown property; known are {', '.join(sorted(allowed))}"
        elif value is not None and value is not UNKNOWN and not allowed[name][1](value):
            found[name] = f"must be {allowed[name][0]}"
    return found
